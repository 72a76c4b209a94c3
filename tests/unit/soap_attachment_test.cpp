// A reply's content is believed when the signature is over it, in each of the three ways.
#include "base/handle.hpp"
#include "check.hpp"
#include "soap/payload.hpp"
#include "soap_reply.hpp"

#include <sys/mman.h>
#include <unistd.h>

using namespace demail;
using namespace demail::test;
using soap::ContentDigest;

namespace {

const std::string letter = "From: a\r\n\r\n\xff not UTF-8, not a multiple of three\r\n";
const std::string include =
    R"(<xop:Include xmlns:xop="http://www.w3.org/2004/08/xop/include" href="cid:c1%40fp"></xop:Include>)";

std::string payload(const std::string &content) {
    return fmt::format(R"(<p:Message xmlns:p="{}"><p:id>m1</p:id><p:content>{}</p:content>)"
                       "</p:Message>",
                       soap::names::provider, content);
}

// A reply whose envelope names content, signed as `how` says.
struct WithContent {
    Reply reply;
    std::string file = letter; ///< what came
    std::optional<std::string> content_id = "c1@fp";
    ContentDigest how;

    explicit WithContent(ContentDigest by = ContentDigest::infoset) : how(by) {
        reply.action = std::string(soap::names::provider) + "/Message";
        reply.payload = payload(include);
        if (how == ContentDigest::infoset) reply.signed_payload = payload(base64(letter));
        if (how == ContentDigest::swa)
            reply.more_parts.push_back({"c1@fp", std::string(view(sha256(letter))), true});
    }

    /// "" where it counts.
    [[nodiscard]] std::string doubt() const {
        static const auto key = make_key("P-256");
        static const soap::ReplyCheck check(source_directory() + "/xsd/provider.xsd",
                                            {fingerprint(*key)});
        const Fd fd(::memfd_create("content", MFD_CLOEXEC));
        CHECK_EQUAL(::write(fd.get(), file.data(), file.size()), static_cast<ssize_t>(file.size()));
        const soap::Content content{"", fd.get(), 0, file.size()};
        soap::HttpReply http = reply.http(*key);
        http.content_id = content_id;
        http.content_bytes = file.size();
        const auto result = check.read(http, "Message", message_id, now(), &content, how);
        if (const auto *good = std::get_if<soap::Payload>(&result)) {
            CHECK_EQUAL(soap::read_message(good->element).id, "m1");
            return "";
        }
        return std::get<soap::NoAnswer>(result).why;
    }
};

void check_doubt(const WithContent &one, std::string_view words) {
    const std::string why = one.doubt();
    if (why.find(words) == std::string::npos)
        throw Failure{"the doubt is \"" + why + "\", not about " + std::string(words), __FILE__,
                      __LINE__};
}

} // namespace

static void content_that_was_signed_is_believed_in_each_way() {
    for (const auto how : {ContentDigest::infoset, ContentDigest::xop_include, ContentDigest::swa})
        CHECK_EQUAL(WithContent(how).doubt(), "");
}

static void content_that_was_changed_is_not() {
    for (const auto how : {ContentDigest::infoset, ContentDigest::swa}) {
        for (const std::string &changed :
             {letter + "x", letter.substr(1), std::string(), "f" + letter.substr(1)}) {
            WithContent one(how);
            one.file = changed;
            check_doubt(one, "changed after it was signed");
        }
    }
}

static void a_signature_of_another_way_does_not_count() {
    WithContent one(ContentDigest::xop_include);
    one.how = ContentDigest::infoset;
    check_doubt(one, "Body was changed");
    one.how = ContentDigest::swa;
    check_doubt(one, "content is not signed");
    one = WithContent(ContentDigest::infoset);
    one.how = ContentDigest::xop_include;
    check_doubt(one, "Body was changed");
}

static void a_part_that_the_signature_does_not_name_does_not_count() {
    WithContent one(ContentDigest::swa);
    one.reply.more_parts[0].id = "c2@fp";
    check_doubt(one, "refers to a part that is not there");
}

static void content_must_be_where_the_envelope_says() {
    WithContent one;
    one.content_id = "c2@fp";
    check_doubt(one, "names another part");
    one = WithContent();
    one.content_id = std::nullopt;
    check_doubt(one, "did not come as a part");
    one = WithContent();
    one.reply.payload = one.reply.signed_payload; // base64 in the envelope, and a part beside it
    check_doubt(one, "not one xop:Include");
    for (const std::string &inside :
         {include + include, " " + include, include + "QUJD", std::string(),
          replaced(include, "cid:c1%40fp", "c1@fp"), replaced(include, "%40", "%4"),
          replaced(include, "></", "><x/></")}) {
        one = WithContent();
        one.reply.payload = payload(inside);
        CHECK(one.doubt() != "");
    }
}

static void an_include_elsewhere_is_no_content() {
    WithContent one;
    one.reply.payload =
        replaced(one.reply.payload, "<p:id>m1</p:id>", "<p:id>" + include + "</p:id>");
    check_doubt(one, "not valid by the schema");
}

int main() {
    return run("soap attachment", {TEST(content_that_was_signed_is_believed_in_each_way),
                                   TEST(content_that_was_changed_is_not),
                                   TEST(a_signature_of_another_way_does_not_count),
                                   TEST(a_part_that_the_signature_does_not_name_does_not_count),
                                   TEST(content_must_be_where_the_envelope_says),
                                   TEST(an_include_elsewhere_is_no_content)});
}
