#include "soap/request.hpp"

#include "soap/names.hpp"
#include "soap/xml_text.hpp"

#include <fmt/format.h>

#include <string_view>

namespace demail::soap {

namespace {

class Writer {
  public:
    explicit Writer(std::string_view request) : request_(request) {
        body_.action = fmt::format("{}/{}", names::provider, request);
        body_.head = fmt::format(
            R"(<soap:Body xmlns:soap="{}" xmlns:wsu="{}" wsu:Id="body"><p:{} xmlns:p="{}">)",
            names::envelope, names::wsu, request, names::provider);
    }

    // `attribute` is the service's own text and needs no escapes.
    void element(std::string_view name, std::string_view value, std::string_view attribute = {}) {
        const auto text = canonical_text(value);
        if (!text) {
            carried_ = false;
            return;
        }
        body_.head += fmt::format("<p:{0}{1}>{2}</p:{0}>", name, attribute, *text);
    }

    std::optional<RequestBody> finish(const Content *content = nullptr) {
        if (!carried_) return std::nullopt;
        if (content != nullptr) {
            body_.head += "<p:content>";
            body_.tail = "</p:content>";
            body_.content = content;
        }
        (content != nullptr ? body_.tail : body_.head) +=
            fmt::format("</p:{}></soap:Body>", request_);
        return std::move(body_);
    }

  private:
    std::string_view request_;
    RequestBody body_;
    bool carried_ = true;
};

} // namespace

RequestBody get_account_request() {
    return Writer("GetAccount").finish().value();
}

std::optional<RequestBody> get_domains_request(const std::optional<std::string> &known_version) {
    Writer writer("GetDomains");
    if (known_version) writer.element("knownVersion", *known_version);
    return writer.finish();
}

std::optional<RequestBody> lookup_recipient_request(const Address &address) {
    Writer writer("LookupRecipient");
    writer.element("address", address.lower());
    return writer.finish();
}

std::optional<RequestBody> submit_request(const Submission &submission) {
    Writer writer("Submit");
    writer.element("privateId", submission.private_id.str());
    writer.element("sender", submission.sender.lower());
    for (const Recipient &recipient : submission.recipients)
        writer.element("recipient", recipient.address.lower(),
                       fmt::format(R"( field="{}")", name(recipient.field)));
    for (const Option option : all_options)
        if (submission.options.has(option)) writer.element("option", name(option));
    return writer.finish(&submission.content);
}

std::optional<RequestBody> find_submission_request(const std::string &private_id) {
    Writer writer("FindSubmission");
    writer.element("privateId", private_id);
    return writer.finish();
}

std::optional<RequestBody> fetch_message_request(const std::string &id) {
    Writer writer("FetchMessage");
    writer.element("id", id);
    return writer.finish();
}

} // namespace demail::soap
