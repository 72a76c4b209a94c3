#include "crypto/key_uri.hpp"

#include "base/digest.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace demail::crypto {
namespace {

constexpr std::size_t longest = 4096;

// A fault travels up from the depth of the parser as an exception and leaves parse() as a value.
struct Fault {
    std::string sentence;
};

bool is_alphanumeric(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

// RFC 7512 2.3: pk11-res-avail with unreserved, and what path or query add to it.
bool may_stand(char c, bool query) {
    constexpr std::string_view both = "-._~:[]@!$'()*+,=%&";
    if (is_alphanumeric(c) || both.find(c) != std::string_view::npos) return c != '&' || !query;
    return query && (c == '/' || c == '?' || c == '|');
}

bool printable(std::string_view text) {
    return std::none_of(text.begin(), text.end(),
                        [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

// Names come from outside and go into a sentence: only the harmless ones are repeated.
std::string shown(std::string_view name) {
    const bool harmless = name.size() <= 40 && std::all_of(name.begin(), name.end(), [](char c) {
                              return is_alphanumeric(c) || c == '-' || c == '_';
                          });
    return harmless ? fmt::format("\"{}\"", name) : "(unreadable)";
}

std::string pin_path(const std::string &source) {
    std::string_view path = source;
    if (path.substr(0, 5) != "file:")
        throw Fault{"pin-source must name a file: pin-source=file:/path"};
    path.remove_prefix(5);
    if (path.substr(0, 3) == "///") path.remove_prefix(2); // RFC 8089: file:///path
    if (path.size() < 2 || path[0] != '/' || path[1] == '/')
        throw Fault{"pin-source must name a file by its absolute path: pin-source=file:/path"};
    return std::string(path);
}

void take_path_attribute(KeyUri &uri, std::string_view name, std::string value) {
    if (name == "type") {
        if (value != "private")
            throw Fault{"type must be \"private\" or left out: a private key is wanted"};
        return;
    }
    if (name == "slot-id") {
        const bool digits =
            value.size() <= 19 &&
            std::all_of(value.begin(), value.end(), [](char c) { return c >= '0' && c <= '9'; });
        if (!digits) throw Fault{"slot-id must be a decimal number"};
        uri.slot_id = std::move(value);
        return;
    }
    constexpr std::pair<std::string_view, std::optional<std::string> KeyUri::*> known[] = {
        {"token", &KeyUri::token},   {"serial", &KeyUri::serial},
        {"object", &KeyUri::object}, {"manufacturer", &KeyUri::manufacturer},
        {"model", &KeyUri::model},   {"id", &KeyUri::id}};
    for (const auto &[attribute, member] : known) {
        if (attribute != name) continue;
        uri.*member = std::move(value);
        return;
    }
    throw Fault{fmt::format("the attribute {} is not known here; known are token, serial, "
                            "manufacturer, model, slot-id, object, id and type",
                            shown(name))};
}

void take_query_attribute(KeyUri &uri, std::string_view name, std::string value) {
    if (name == "module-path") {
        if (value.front() != '/') throw Fault{"module-path must be an absolute path"};
        uri.module_path = std::move(value);
    } else if (name == "pin-source") {
        uri.pin_file = pin_path(value);
    } else if (name == "pin-value") {
        throw Fault{"pin-value is not allowed, since a configuration must not hold a PIN: "
                    "write the PIN to a file of mode 0600 and name it by pin-source=file:/path"};
    } else if (name == "module-name") {
        throw Fault{"module-name is not supported; name the module's file by module-path"};
    } else {
        throw Fault{fmt::format("the query attribute {} is not known here; known are module-path "
                                "and pin-source",
                                shown(name))};
    }
}

void refuse_strange_characters(std::string_view text, bool query) {
    for (const char c : text) {
        if (may_stand(c, query) || c == (query ? '&' : ';')) continue;
        throw Fault{fmt::format("a character must be percent-encoded: write %{:02X}",
                                static_cast<unsigned char>(c))};
    }
}

void take(KeyUri &uri, std::string_view text, bool query, std::set<std::string> &seen) {
    const std::size_t equals = text.find('=');
    if (equals == std::string_view::npos || equals == 0)
        throw Fault{"each attribute must have the form name=value"};
    const std::string name(text.substr(0, equals));
    if (!query && (name == "module-path" || name == "pin-source"))
        throw Fault{
            fmt::format("{} belongs behind a question mark: pkcs11:...?{}=...", name, name)};
    refuse_strange_characters(text, query);
    if (name.substr(0, 2) == "x-") return; // RFC 7512 2.3: a vendor's own
    // The query's names are apart from the path's (RFC 7512 2.3).
    if (!seen.insert((query ? "?" : "") + name).second)
        throw Fault{fmt::format("the attribute {} stands twice", shown(name))};
    auto value = KeyUri::decode(text.substr(equals + 1));
    if (!value)
        throw Fault{fmt::format("the value of {} has a % without two hex digits", shown(name))};
    if (value->empty()) throw Fault{fmt::format("the value of {} is empty", shown(name))};
    if (name != "id" && !printable(*value))
        throw Fault{fmt::format("the value of {} holds control characters", shown(name))};
    if (query)
        take_query_attribute(uri, name, std::move(*value));
    else
        take_path_attribute(uri, name, std::move(*value));
}

void take_all(KeyUri &uri, std::string_view text, bool query) {
    std::set<std::string> seen;
    const char separator = query ? '&' : ';';
    while (true) {
        const std::size_t end = text.find(separator);
        take(uri, text.substr(0, end), query, seen);
        if (end == std::string_view::npos) return;
        text.remove_prefix(end + 1);
    }
}

} // namespace

std::string KeyUri::module() const {
    return module_path.value_or(PKCS11DIR "/demail-tcos-pkcs11.so");
}

std::optional<std::string> KeyUri::decode(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            out += text[i];
            continue;
        }
        if (text.size() - i < 3) return std::nullopt;
        const auto byte = from_hex(text.substr(i + 1, 2));
        if (!byte) return std::nullopt;
        out += *byte;
        i += 2;
    }
    return out;
}

std::variant<KeyUri, std::string> KeyUri::parse(std::string_view text) {
    try {
        if (text.size() > longest) throw Fault{"the URI is longer than 4096 bytes"};
        constexpr std::string_view scheme = "pkcs11:";
        std::string start(text.substr(0, scheme.size()));
        std::transform(start.begin(), start.end(), start.begin(), [](char c) {
            return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
        });
        if (start != scheme) throw Fault{"a key is named by a URI that starts with \"pkcs11:\""};
        text.remove_prefix(scheme.size());
        const std::size_t mark = text.find('?');
        const std::string_view path = text.substr(0, mark);
        KeyUri uri;
        if (!path.empty()) take_all(uri, path, false);
        if (mark != std::string_view::npos) {
            take_all(uri, text.substr(mark + 1), true);
        }
        return uri;
    } catch (const Fault &fault) {
        return fault.sentence;
    }
}

} // namespace demail::crypto
