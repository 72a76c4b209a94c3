// PKCS#11 URIs: what parsed is written back to the same.
#include "crypto/key_uri.hpp"

#include "fuzz.hpp"

#include <algorithm>

namespace demail::fuzz {
namespace {

using crypto::KeyUri;

constexpr std::pair<const char *, std::optional<std::string> KeyUri::*> attributes[] = {
    {"token", &KeyUri::token},
    {"serial", &KeyUri::serial},
    {"manufacturer", &KeyUri::manufacturer},
    {"model", &KeyUri::model},
    {"object", &KeyUri::object},
    {"id", &KeyUri::id},
    {"slot-id", &KeyUri::slot_id},
    {"module-path", &KeyUri::module_path},
    {"pin-source", &KeyUri::pin_file}};

std::string encoded(std::string_view octets) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string text;
    for (const char c : octets) {
        const auto octet = static_cast<unsigned char>(c);
        (((text += '%') += digits[octet >> 4U]) += digits[octet & 15U]);
    }
    return text;
}

std::string written(const KeyUri &uri) {
    std::string path, query;
    for (const auto &[name, member] : attributes) {
        const auto &value = uri.*member;
        if (!value) continue;
        const std::string_view attribute = name;
        const bool in_query = attribute == "module-path" || attribute == "pin-source";
        std::string &part = in_query ? query : path;
        if (!part.empty()) part += in_query ? '&' : ';';
        part.append(attribute).append("=");
        part += encoded((attribute == "pin-source" ? "file:" : "") + *value);
    }
    return "PKCS11:" + path + (query.empty() ? "" : "?") + query;
}

void is_sound(const KeyUri &uri) {
    for (const auto &[name, member] : attributes) {
        const auto &value = uri.*member;
        if (!value) continue;
        HOLDS(!value->empty());
        if (member == &KeyUri::id) continue;
        HOLDS(std::none_of(value->begin(), value->end(), [](char c) {
            return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
        }));
    }
    for (const auto &path : {uri.module_path, uri.pin_file})
        HOLDS(!path || path->front() == '/');
    if (uri.slot_id)
        HOLDS(std::all_of(uri.slot_id->begin(), uri.slot_id->end(),
                          [](char c) { return c >= '0' && c <= '9'; }));
}

} // namespace

void key_uri(std::string_view text) {
    const auto got = KeyUri::parse(text);
    if (const auto *sentence = std::get_if<std::string>(&got)) {
        HOLDS(!sentence->empty() && sentence->size() < 300);
        HOLDS(std::all_of(sentence->begin(), sentence->end(),
                          [](char c) { return c >= ' ' && c <= '~'; }));
        return;
    }
    const auto &uri = std::get<KeyUri>(got);
    is_sound(uri);
    HOLDS(text.size() <= 4096);
    const std::string again_text = written(uri);
    if (again_text.size() > 4096) return; // three times as long when every octet is encoded
    const auto again = KeyUri::parse(again_text);
    HOLDS(std::holds_alternative<KeyUri>(again));
    for (const auto &[name, member] : attributes)
        HOLDS(std::get<KeyUri>(again).*member == uri.*member);
}

} // namespace demail::fuzz
