#include "soap/multipart.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>
#include <utility>

namespace demail::soap {

namespace {

constexpr std::size_t longest_header = 8192; // of a part
constexpr std::size_t longest_type = 1024;   // of a Content-Type

bool is_blank(char c) {
    return c == ' ' || c == '\t';
}

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && is_blank(text.front()))
        text.remove_prefix(1);
    while (!text.empty() && is_blank(text.back()))
        text.remove_suffix(1);
    return text;
}

std::string lower(std::string_view text) {
    std::string made(text);
    for (char &c : made)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 0x20);
    return made;
}

// RFC 2045 5.1
bool is_token(char c) {
    return c > 0x20 && c < 0x7f && std::strchr("()<>@,;:\\\"/[]?=", c) == nullptr;
}

struct MediaType {
    std::string name;
    std::map<std::string, std::string> parameters;
};

// "name/sub; a=b; c=\"d\"", RFC 2045 5.1; no comments.
std::optional<MediaType> media_type(std::string_view text) {
    if (text.size() > longest_type) return std::nullopt;
    const std::size_t semicolon = std::min(text.find(';'), text.size());
    MediaType type{lower(trimmed(text.substr(0, semicolon))), {}};
    text.remove_prefix(semicolon);
    while (!text.empty()) {
        text = trimmed(text.substr(1)); // the semicolon
        if (text.empty()) break;
        const std::size_t equals = text.find('=');
        if (equals == std::string_view::npos) return std::nullopt;
        const std::string name = lower(trimmed(text.substr(0, equals)));
        if (name.empty() || !std::all_of(name.begin(), name.end(), is_token)) return std::nullopt;
        text = trimmed(text.substr(equals + 1));
        std::string value;
        std::size_t at = 0;
        if (!text.empty() && text.front() == '"') {
            for (at = 1; at < text.size() && text[at] != '"'; ++at) {
                if (text[at] == '\\' && ++at == text.size()) return std::nullopt;
                value += text[at];
            }
            if (at++ >= text.size()) return std::nullopt;
        } else {
            while (at < text.size() && is_token(text[at]))
                value += text[at++];
            if (value.empty()) return std::nullopt;
        }
        if (!type.parameters.emplace(name, value).second) return std::nullopt;
        text = trimmed(text.substr(at));
        if (!text.empty() && text.front() != ';') return std::nullopt;
    }
    return type;
}

std::string parameter(const MediaType &type, const std::string &name) {
    const auto found = type.parameters.find(name);
    return found == type.parameters.end() ? std::string() : found->second;
}

// RFC 2046 5.1.1
bool is_boundary(std::string_view text) {
    return !text.empty() && text.size() <= 70 && text.back() != ' ' &&
           std::all_of(text.begin(), text.end(), [](char c) {
               return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') ||
                      (c != '\0' && std::strchr("'()+_,-./:=? ", c) != nullptr);
           });
}

// RFC 2392: without its angle brackets.
std::string bare(std::string_view id) {
    id = trimmed(id);
    if (id.size() >= 2 && id.front() == '<' && id.back() == '>')
        return std::string(id.substr(1, id.size() - 2));
    return {};
}

using Fields = std::map<std::string, std::string>;

// A part's header, its lines ended by CRLF; no folding, no field twice.
std::optional<Fields> fields_of(std::string_view header) {
    Fields fields;
    while (!header.empty()) {
        const std::size_t end = header.find("\r\n");
        const std::string_view line = header.substr(0, end);
        header.remove_prefix(std::min(header.size(), line.size() + 2));
        const std::size_t colon = line.find(':');
        if (colon == std::string_view::npos || colon == 0 || is_blank(line.front()))
            return std::nullopt;
        for (const char c : line)
            if (c < 0x20 && c != '\t') return std::nullopt; // and what is not ASCII
        if (!fields.emplace(lower(line.substr(0, colon)), trimmed(line.substr(colon + 1))).second)
            return std::nullopt;
    }
    return fields;
}

bool untouched(const Fields &fields) {
    const auto encoding = fields.find("content-transfer-encoding");
    if (encoding == fields.end()) return true;
    const std::string name = lower(encoding->second);
    return name == "binary" || name == "8bit";
}

bool is_envelope(const Fields &fields) {
    const auto field = fields.find("content-type");
    const auto type = field == fields.end() ? std::nullopt : media_type(field->second);
    if (!type || type->name != "application/xop+xml" ||
        lower(parameter(*type, "type")) != "application/soap+xml")
        return false;
    const std::string charset = lower(parameter(*type, "charset"));
    return charset.empty() || charset == "utf-8";
}

} // namespace

std::optional<MultipartType> multipart_type(std::string_view content_type) {
    const auto type = media_type(content_type);
    if (!type || type->name != "multipart/related" ||
        lower(parameter(*type, "type")) != "application/xop+xml" ||
        lower(parameter(*type, "start-info")) != "application/soap+xml" ||
        !is_boundary(parameter(*type, "boundary")))
        return std::nullopt;
    MultipartType made{parameter(*type, "boundary"), ""};
    if (type->parameters.count("start") != 0) {
        made.start = bare(parameter(*type, "start"));
        if (made.start.empty()) return std::nullopt;
    }
    return made;
}

Multipart::Multipart(MultipartType type, int file, Limits limits)
    : delimiter_("\r\n--" + type.boundary), start_(std::move(type.start)), file_(file),
      limits_(limits), waiting_("\r\n") {} // the first boundary may stand at the very beginning

bool Multipart::refuse(std::string sentence) {
    fault_ = std::move(sentence);
    return false;
}

bool Multipart::feed(std::string_view bytes) {
    if (!fault_.empty()) return false;
    waiting_ += bytes;
    std::size_t before = 0;
    Place place = Place::end;
    while (fault_.empty() && place_ != Place::end &&
           (waiting_.size() != before || place != place_)) {
        before = waiting_.size();
        place = place_;
        if (!step()) return false;
    }
    if (place_ == Place::end) waiting_.clear(); // an epilogue says nothing
    return true;
}

// Goes on as far as what waits allows; may leave all as it is.
bool Multipart::step() {
    switch (place_) {
    case Place::before:
        if (waiting_.size() < delimiter_.size()) return true;
        if (!waiting_.starts_with(delimiter_)) return refuse("it does not begin with its boundary");
        waiting_.erase(0, delimiter_.size());
        place_ = Place::after_boundary;
        return true;
    case Place::after_boundary:
        return after_boundary();
    case Place::header:
        return read_header();
    case Place::body:
        return read_body();
    case Place::end:
        break;
    }
    return true;
}

bool Multipart::after_boundary() {
    if (waiting_.size() < 2) return true;
    if (waiting_.starts_with("--")) {
        if (part_ != 2) return refuse("it has not two parts");
        place_ = Place::end;
        return true;
    }
    if (!waiting_.starts_with("\r\n")) return refuse("a line of its boundary holds something else");
    if (++part_ > 2) return refuse("it has more than two parts");
    place_ = Place::header; // which may be empty: the CRLF stays
    return true;
}

bool Multipart::read_header() {
    const std::size_t end = waiting_.find("\r\n\r\n");
    if (end == std::string::npos ? waiting_.size() > longest_header : end > longest_header)
        return refuse("a part's header is too long");
    if (end == std::string::npos) return true;
    const std::string header = end < 2 ? "" : waiting_.substr(2, end - 2);
    waiting_.erase(0, end + 2); // the last CRLF may be that of a boundary: an empty part
    place_ = Place::body;
    begun_ = false;
    return begin_part(header);
}

bool Multipart::begin_part(std::string_view header) {
    const auto fields = fields_of(header);
    if (!fields) return refuse("a part's header cannot be read");
    const auto field = fields->find("content-id");
    std::string id = field == fields->end() ? std::string() : bare(field->second);
    if (id.empty()) return refuse("a part has no Content-ID");
    if (!untouched(*fields)) return refuse("a part is not transferred as binary");
    if (part_ == 1) {
        if (!start_.empty() && id != start_) return refuse("its first part is not its start");
        if (!is_envelope(*fields))
            return refuse("its first part is not application/xop+xml of SOAP");
        root_id_ = std::move(id);
    } else {
        if (id == root_id_) return refuse("two of its parts have the same Content-ID");
        content_id_ = std::move(id);
    }
    return true;
}

bool Multipart::read_body() {
    if (!begun_) {
        const bool empty = waiting_.starts_with(delimiter_);
        if (!empty && delimiter_.starts_with(waiting_)) return true; // not told yet
        if (!empty) waiting_.erase(0, 2);
        begun_ = true;
    }
    const std::size_t at = waiting_.find(delimiter_);
    if (at != std::string::npos) {
        if (!take(std::string_view(waiting_).substr(0, at))) return false;
        waiting_.erase(0, at + delimiter_.size());
        place_ = Place::after_boundary;
        return true;
    }
    // What may be the beginning of a boundary waits.
    const std::size_t kept = std::min(waiting_.size(), delimiter_.size() - 1);
    if (!take(std::string_view(waiting_).substr(0, waiting_.size() - kept))) return false;
    waiting_.erase(0, waiting_.size() - kept);
    return true;
}

bool Multipart::take(std::string_view bytes) {
    if (part_ == 1) {
        if (envelope_.size() + bytes.size() > limits_.envelope)
            return refuse("its envelope is too long");
        envelope_ += bytes;
        return true;
    }
    if (content_bytes_ + bytes.size() > limits_.content) return refuse("its content is too long");
    while (!bytes.empty()) {
        const ssize_t wrote = ::write(file_, bytes.data(), bytes.size());
        if (wrote < 0 && errno == EINTR) continue;
        if (wrote <= 0)
            return refuse(std::string("its content cannot be kept: ") + strerror(errno));
        content_bytes_ += static_cast<std::uint64_t>(wrote);
        bytes.remove_prefix(static_cast<std::size_t>(wrote));
    }
    return true;
}

} // namespace demail::soap
