#include "daemon/toml_section.hpp"

#include "base/edit_distance.hpp"
#include "base/log.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

namespace demail {
namespace {

std::vector<ConfigurationFault> sorted(std::vector<ConfigurationFault> list) {
    std::stable_sort(list.begin(), list.end(), [](const auto &a, const auto &b) {
        return std::tie(a.line, a.column) < std::tie(b.line, b.column);
    });
    return list;
}

bool has_control(std::string_view text) {
    return std::any_of(text.begin(), text.end(),
                       [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

std::string_view kind(const toml::node &node) {
    switch (node.type()) {
    case toml::node_type::table:
        return "a table";
    case toml::node_type::array:
        return "an array";
    case toml::node_type::string:
        return "a string";
    case toml::node_type::integer:
        return "an integer";
    case toml::node_type::floating_point:
        return "a number with a fraction";
    case toml::node_type::boolean:
        return "true or false";
    default:
        return "a date or time";
    }
}

} // namespace

std::string ConfigurationFault::str() const {
    if (line == 0) return fmt::format("{}: {}", file, sentence);
    return fmt::format("{}:{}:{}: {}", file, line, column, sentence);
}

void FaultList::fault(toml::source_position at, std::string sentence) {
    faults_.push_back({file_, at.line, at.column, std::move(sentence)});
}

void FaultList::warning(toml::source_position at, std::string sentence) {
    warnings_.push_back({file_, at.line, at.column, "warning: " + std::move(sentence)});
}

std::vector<ConfigurationFault> FaultList::take_faults() {
    return sorted(std::move(faults_));
}
std::vector<ConfigurationFault> FaultList::take_warnings() {
    return sorted(std::move(warnings_));
}

const toml::node *Section::find(std::string_view key) {
    known_.emplace(key);
    return table_.get(key);
}

std::optional<Located> Section::string_of(const toml::node &node, std::string_view key) {
    const toml::source_position where = node.source().begin;
    const auto *value = node.as_string();
    if (value == nullptr) {
        fault(where, fmt::format("{} in {} must be a string, not {}.", key, title_, kind(node)));
    } else if (value->get().empty()) {
        fault(where, fmt::format("{} in {} is empty.", key, title_));
    } else if (has_control(value->get())) {
        fault(where, fmt::format("{} in {} holds a control character.", key, title_));
    } else {
        return Located{value->get(), where};
    }
    return std::nullopt;
}

std::optional<Located> Section::text(std::string_view key) {
    const toml::node *node = find(key);
    return node == nullptr ? std::nullopt : string_of(*node, key);
}

std::optional<Located> Section::required_text(std::string_view key) {
    if (!has(key)) {
        find(key);
        fault(at(), fmt::format("{} has no {}.", title_, key));
        return std::nullopt;
    }
    return text(key);
}

std::optional<Located> Section::path(std::string_view key) {
    auto value = text(key);
    if (!value) return std::nullopt;
    if (!value->text.starts_with('/') || value->text.ends_with('/')) {
        fault(value->at, fmt::format("{} in {} must be an absolute path without a slash at its "
                                     "end.",
                                     key, title_));
        return std::nullopt;
    }
    return value;
}

std::optional<Located> Section::socket_path(std::string_view key) {
    auto value = path(key);
    if (value && value->text.size() > 107) {
        fault(value->at, fmt::format("{} in {} is longer than the 107 octets that the path of a "
                                     "Unix socket may have.",
                                     key, title_));
        return std::nullopt;
    }
    return value;
}

std::optional<std::int64_t> Section::integer(std::string_view key, std::int64_t least,
                                             std::int64_t most) {
    const toml::node *node = find(key);
    if (node == nullptr) return std::nullopt;
    const auto *value = node->as_integer();
    if (value == nullptr) {
        fault(node->source().begin,
              fmt::format("{} in {} must be an integer, not {}.", key, title_, kind(*node)));
    } else if (value->get() < least || value->get() > most) {
        fault(node->source().begin,
              fmt::format("{} in {} must be from {} to {}.", key, title_, least, most));
    } else {
        return value->get();
    }
    return std::nullopt;
}

std::optional<bool> Section::boolean(std::string_view key) {
    const toml::node *node = find(key);
    if (node == nullptr) return std::nullopt;
    if (const auto *value = node->as_boolean()) return value->get();
    fault(node->source().begin,
          fmt::format("{} in {} must be true or false, not {}.", key, title_, kind(*node)));
    return std::nullopt;
}

std::optional<std::vector<Located>> Section::texts(std::string_view key) {
    const toml::node *node = find(key);
    if (node == nullptr) return std::nullopt;
    const toml::array *array = node->as_array();
    if (array == nullptr || array->empty()) {
        fault(node->source().begin,
              array == nullptr ? fmt::format("{} in {} must be an array of strings, not {}.", key,
                                             title_, kind(*node))
                               : fmt::format("{} in {} is empty.", key, title_));
        return std::nullopt;
    }
    std::vector<Located> all;
    for (const toml::node &element : *array)
        if (auto value = string_of(element, key)) all.push_back(std::move(*value));
    return all;
}

const toml::table *Section::table(std::string_view key) {
    const toml::node *node = find(key);
    if (node == nullptr) return nullptr;
    if (const toml::table *found = node->as_table()) return found;
    fault(node->source().begin,
          fmt::format("{} must be a table, [{}], not {}.", key, key, kind(*node)));
    return nullptr;
}

std::vector<const toml::table *> Section::tables(std::string_view key, std::string_view title) {
    std::vector<const toml::table *> all;
    const toml::node *node = find(key);
    if (node == nullptr) return all;
    const toml::array *array = node->as_array();
    if (array == nullptr) {
        fault(node->source().begin, fmt::format("{} must be written as {}.", key, title));
        return all;
    }
    for (const toml::node &element : *array) {
        if (const toml::table *found = element.as_table())
            all.push_back(found);
        else
            fault(element.source().begin, fmt::format("{} must be written as {}.", key, title));
    }
    return all;
}

void Section::reserve(std::string_view key) {
    if (const toml::node *node = find(key))
        fault(node->source().begin, fmt::format("[{}] is reserved for a later version.", key));
}

void Section::finish() {
    for (const auto &[key, node] : table_) {
        const std::string_view name = key.str();
        if (known_.contains(name)) continue;
        const auto nearest =
            std::min_element(known_.begin(), known_.end(), [&](const auto &a, const auto &b) {
                return edit_distance(name, a) < edit_distance(name, b);
            });
        fault(key.source().begin,
              fmt::format("unknown key \"{}\" in {}; the nearest known key is \"{}\".",
                          log::escaped(name.substr(0, 64)), title_, *nearest));
    }
}

} // namespace demail
