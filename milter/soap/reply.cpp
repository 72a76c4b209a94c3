#include "soap/reply.hpp"

#include "soap/names.hpp"
#include "soap/payload.hpp"

#include <fmt/format.h>

#include <array>
#include <stdexcept>

namespace demail::soap {

namespace {

using namespace std::chrono_literals;
constexpr auto lifetime = 5min; // of a Timestamp
constexpr auto skew = 60s;      // between the clocks

// The nodes that are read, found by their place and not by an Id.
struct Located {
    xmlNode *action = nullptr;
    xmlNode *relates_to = nullptr;
    xmlNode *security = nullptr;
    xmlNode *timestamp = nullptr;
    xmlNode *body = nullptr;
    xmlNode *payload = nullptr;
};

bool understood(const xmlNode *block) {
    const auto must = attribute(block, "mustUnderstand", names::envelope);
    return !must || *must == "false" || *must == "0";
}

std::variant<Located, std::string> locate(xmlDoc *document) {
    const xmlNode *envelope = xmlDocGetRootElement(document);
    const auto parts = elements(envelope);
    if (!is(envelope, names::envelope, "Envelope") || parts.size() != 2 ||
        !is(parts[0], names::envelope, "Header") || !is(parts[1], names::envelope, "Body"))
        return "it is not a SOAP 1.2 envelope with one Header and one Body";
    const xmlNode *header = parts[0];
    Located message;
    message.body = parts[1];
    message.action = only(header, names::addressing, "Action");
    message.relates_to = only(header, names::addressing, "RelatesTo");
    message.security = only(header, names::wsse, "Security");
    if (message.security == nullptr) return "it has not exactly one Security header";
    message.timestamp = only(message.security, names::wsu, "Timestamp");
    if (message.action == nullptr || message.relates_to == nullptr)
        return "it has not exactly one Action and one RelatesTo";
    if (message.timestamp == nullptr) return "it has not exactly one Timestamp";
    for (const xmlNode *block : elements(header))
        if (block->ns == nullptr ||
            (block != message.security && !is(block, names::addressing, "Action") &&
             !is(block, names::addressing, "RelatesTo") && !is(block, names::addressing, "To") &&
             !is(block, names::addressing, "MessageID") && !understood(block)))
            return "it has a header that must be understood and is not known";
    const auto payload = elements(message.body);
    if (payload.size() != 1) return "its Body has not exactly one element";
    message.payload = payload.front();
    return message;
}

std::optional<Instant> moment(const xmlNode *timestamp, std::string_view name) {
    const xmlNode *element = only(timestamp, names::wsu, name);
    if (element == nullptr) return std::nullopt;
    return read_instant(trimmed_text_of(element));
}

std::optional<std::string> check_time(const xmlNode *timestamp, Instant now) {
    const auto created = moment(timestamp, "Created");
    const auto expires = moment(timestamp, "Expires");
    if (!created || !expires) return "its Timestamp cannot be read";
    if (*created > now + skew) return "its Timestamp is of the future";
    if (*created < now - lifetime - skew || *expires <= now - skew || *expires < *created)
        return "its Timestamp is too old";
    return std::nullopt;
}

bool is_soap(const HttpReply &http) {
    std::string type = http.content_type.substr(0, http.content_type.find(';'));
    while (!type.empty() && type.back() == ' ')
        type.pop_back();
    for (char &c : type)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 0x20);
    return type == "application/soap+xml";
}

// The ProviderFault of a SOAP fault.
xmlNode *fault_detail(const xmlNode *fault) {
    const xmlNode *detail = only(fault, names::envelope, "Detail");
    const auto entries = detail != nullptr ? elements(detail) : std::vector<xmlNode *>{};
    return entries.size() == 1 ? entries.front() : nullptr;
}

NoAnswer doubt(std::string_view why) {
    return NoAnswer{fmt::format("The reply does not count: {}.", why)};
}

} // namespace

ReplyCheck::ReplyCheck(const std::string &schema_file, const std::vector<std::string> &signers)
    : schema_(schema_file), signers_(signers) {}

std::variant<Payload, Fault, NoAnswer>
ReplyCheck::read(const HttpReply &http, const std::string &reply, const std::string &message_id,
                 Instant now, const Content *content, ContentDigest how) const {
    if (http.status != 200 && http.status != 400 && http.status != 500)
        return doubt(fmt::format("its HTTP status is {}", http.status));
    if (!is_soap(http)) return doubt("its Content-Type is not application/soap+xml");
    auto parsed = parse_document(http.body);
    if (const auto *fault = std::get_if<std::string>(&parsed)) return doubt(*fault);
    Document document = std::get<Document>(std::move(parsed));
    const auto located = locate(document.get());
    if (const auto *fault = std::get_if<std::string>(&located)) return doubt(*fault);
    const auto &message = std::get<Located>(located);

    const bool is_fault = is(message.payload, names::envelope, "Fault");
    if (is_fault == (http.status == 200))
        return doubt(fmt::format("its HTTP status {} does not fit", http.status));
    xmlNode *payload = is_fault ? fault_detail(message.payload) : message.payload;
    const std::string expected = is_fault ? "ProviderFault" : reply;
    if (!is(payload, names::provider, expected))
        return doubt(fmt::format("it is not the expected {}", expected));
    std::optional<Attachment> attachment;
    xmlNode *holder = only(payload, names::provider, "content");
    if (http.content_id && content != nullptr) {
        auto found = Attachment::find(holder, *http.content_id, *content, how);
        if (const auto *fault = std::get_if<std::string>(&found)) return doubt(*fault);
        attachment.emplace(std::get<Attachment>(std::move(found)));
    } else if (holder != nullptr) {
        return doubt("its content did not come as a part of its own");
    }
    if (const auto fault = schema_.check(payload))
        return doubt(fmt::format("it is not valid by the schema ({})", *fault));
    if (attachment) attachment->schema_checked();

    const std::array must_be_signed{message.body, message.timestamp, message.action,
                                    message.relates_to};
    try {
        if (const auto fault = check_signature(message.security, must_be_signed, signers_, now,
                                               attachment ? &*attachment : nullptr))
            return doubt(*fault);
    } catch (const std::runtime_error &error) {
        // Canonical XML 1.0 1.3: relative namespace names have no canonical form.
        return doubt(fmt::format("its signature cannot be checked ({})", error.what()));
    }
    if (const auto fault = check_time(message.timestamp, now)) return doubt(*fault);
    if (trimmed_text_of(message.relates_to) != message_id)
        return doubt("it answers another request");
    if (trimmed_text_of(message.action) != fmt::format("{}/{}", names::provider, expected))
        return doubt("its Action is another");
    if (is_fault) return read_fault(payload);
    return Payload{std::move(document), payload};
}

} // namespace demail::soap
