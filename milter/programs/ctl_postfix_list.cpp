#include "programs/ctl_postfix_list.hpp"

#include <algorithm>

namespace demail::ctl {

namespace {

constexpr std::string_view blanks = " \t\r\n";

std::vector<std::string> split(std::string_view text, std::string_view separators) {
    std::vector<std::string> parts;
    std::string part;
    int depth = 0;
    for (const char c : text) {
        if (depth == 0 && separators.find(c) != std::string_view::npos) {
            if (!part.empty()) parts.push_back(std::move(part));
            part.clear();
            continue;
        }
        if (c == '{') ++depth;
        if (c == '}' && depth > 0) --depth;
        part += c;
    }
    if (!part.empty()) parts.push_back(std::move(part));
    return parts;
}

std::string_view trimmed(std::string_view text) {
    const auto first = text.find_first_not_of(blanks);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

bool contains(const std::vector<std::string> &list, std::string_view one) {
    return std::find(list.begin(), list.end(), one) != list.end();
}

/// "name = value" → "name=value"; the value's inner blanks stay.
std::string setting(std::string_view text) {
    const auto equals = text.find('=');
    if (equals == std::string_view::npos) return std::string(trimmed(text));
    std::string out(trimmed(text.substr(0, equals)));
    out += '=';
    out += trimmed(text.substr(equals + 1));
    return out;
}

} // namespace

std::vector<std::string> list_elements(std::string_view value) {
    return split(value, ", \t\r\n");
}

std::vector<std::string> master_words(std::string_view line) {
    return split(line, blanks);
}

std::string_view without_braces(std::string_view element) {
    element = trimmed(element);
    if (element.size() < 2 || element.front() != '{' || element.back() != '}') return element;
    return trimmed(element.substr(1, element.size() - 2));
}

std::string without_blanks(std::string_view text) {
    std::string out;
    std::copy_if(text.begin(), text.end(), std::back_inserter(out),
                 [](char c) { return blanks.find(c) == std::string_view::npos; });
    return out;
}

std::string joined(const std::vector<std::string> &elements) {
    std::string out;
    for (const std::string &one : elements)
        out += (out.empty() ? "" : ", ") + one;
    return out;
}

bool is_our_table(std::string_view element, std::string_view name) {
    return element.starts_with("regexp:") && element.ends_with(name) &&
           element[element.size() - name.size() - 1] == '/';
}

MilterElement::MilterElement(std::string_view element) {
    // Around the sign of a setting blanks may stand: "{ unix:x, default_action = tempfail }".
    std::string inner;
    for (const char c : without_braces(element)) {
        if (c == '=')
            while (!inner.empty() && blanks.find(inner.back()) != std::string_view::npos)
                inner.pop_back();
        if (!inner.empty() && inner.back() == '=' && blanks.find(c) != std::string_view::npos)
            continue;
        inner += c;
    }
    auto words = list_elements(inner);
    if (words.empty()) return;
    endpoint = words.front();
    settings.assign(words.begin() + 1, words.end());
}

bool MilterElement::has(std::string_view setting) const {
    return contains(settings, setting);
}

MasterLine::MasterLine(std::string_view line) {
    constexpr std::size_t fixed =
        8; // name, type, private, unpriv, chroot, wakeup, maxproc, command
    const auto words = master_words(line);
    if (words.size() < fixed) return;
    name = words[0];
    open_to_all = words[2] == "n";
    type = words[1];
    command = words[fixed - 1];
    for (std::size_t i = fixed; i < words.size(); ++i) {
        std::string_view word = words[i];
        if (!word.starts_with("-o")) continue;
        word.remove_prefix(2);
        if (word.empty() && i + 1 < words.size()) word = words[++i];
        settings.push_back(setting(without_braces(word)));
    }
}

bool MasterLine::has(std::string_view setting) const {
    const auto equals = setting.find('=');
    if (equals == std::string_view::npos) return contains(settings, setting);
    const std::string *last = last_of(setting.substr(0, equals));
    return last != nullptr && *last == setting;
}

std::string MasterLine::value(std::string_view wanted) const {
    const std::string *last = last_of(wanted);
    return last == nullptr ? "" : last->substr(wanted.size() + 1);
}

const std::string *MasterLine::last_of(std::string_view wanted) const {
    const auto found = std::find_if(settings.rbegin(), settings.rend(), [&](const auto &one) {
        return one.size() > wanted.size() && one.starts_with(wanted) && one[wanted.size()] == '=';
    });
    return found == settings.rend() ? nullptr : &*found;
}

} // namespace demail::ctl
