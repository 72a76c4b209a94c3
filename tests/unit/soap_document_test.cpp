// XML from outside: what is refused, and that the refusal is quick.
#include "check.hpp"
#include "soap/document.hpp"

#include <fmt/format.h>

#include <chrono>
#include <string>

using namespace demail;
using namespace demail::test;

namespace {

// What is said against the document, "" for nothing; more than half a second counts as a failure.
std::string fault(const std::string &text) {
    const auto begin = std::chrono::steady_clock::now();
    const auto parsed = soap::parse_document(text);
    CHECK(std::chrono::steady_clock::now() - begin < std::chrono::milliseconds(500));
    const auto *sentence = std::get_if<std::string>(&parsed);
    return sentence != nullptr ? *sentence : "";
}

std::string repeat(const std::string &text, int times) {
    std::string all;
    for (int i = 0; i < times; ++i)
        all += text;
    return all;
}

} // namespace

static void plain_documents_are_parsed() {
    CHECK_EQUAL(fault("<a/>"), "");
    CHECK_EQUAL(
        fault("\xEF\xBB\xBF<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<a b='>'>\xC3\xA4</a>\n"),
        "");
    CHECK_EQUAL(fault("<a><!-- <b> --><![CDATA[<!DOCTYPE]]>&lt;!DOCTYPE&gt;</a>"), "");
    const auto parsed = soap::parse_document("<a>1<!--2--><![CDATA[3]]>&#x34;</a>");
    CHECK_EQUAL(soap::text_of(xmlDocGetRootElement(std::get<soap::Document>(parsed).get())), "134");
}

static void a_doctype_is_refused() {
    CHECK_EQUAL(fault("<!DOCTYPE a><a/>"), "it has a DOCTYPE");
    CHECK_EQUAL(fault("<?xml version=\"1.0\"?>\n<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>"),
                "it has a DOCTYPE");
    CHECK_EQUAL(fault("<a><!ELEMENT b ANY></a>"), "it has a DOCTYPE");
}

static void a_processing_instruction_is_refused() {
    CHECK_EQUAL(fault("<a><?php ?></a>"), "it has a processing instruction");
    CHECK_EQUAL(fault("<?xml-stylesheet href='x'?><a/>"), "it has a processing instruction");
}

static void another_encoding_hides_nothing() {
    const char utf16[] = "<\0!\0D\0O\0C\0T\0Y\0P\0E\0 \0a\0>\0<\0a\0/\0>";
    CHECK_EQUAL(fault(std::string(utf16, sizeof utf16)), "it is not UTF-8");
    // UTF-7 would hide a DOCTYPE from the scan: the claim is passed over.
    CHECK(!fault("<?xml version=\"1.0\" encoding=\"UTF-7\"?>+ADwAIQ-DOCTYPE a+AD4-<a/>").empty());
    // What was scanned as UTF-8 is read as UTF-8, whatever the document says of itself.
    for (const auto &[encoding, text] :
         {std::pair{"ISO-8859-1", "\xC3\xA4"}, {"UTF-7", "+ADw-b/+AD4-"}}) {
        auto parsed = soap::parse_document(std::string("<?xml version=\"1.0\" encoding=\"") +
                                           encoding + "\"?><a>" + text + "</a>");
        const auto &document = std::get<soap::Document>(parsed);
        CHECK_EQUAL(soap::text_of(xmlDocGetRootElement(document.get())), text);
    }
    CHECK(!fault("<a>\xFF</a>").empty());
    CHECK(!fault("<a>\xC3</a>").empty());
}

static void many_attributes_are_refused_at_once() {
    std::string text = "<a ";
    for (int i = 0; i < 100000; ++i)
        text += "b" + std::to_string(i) + "='' ";
    CHECK_EQUAL(fault(text + "/>"), "an element has more than 64 attributes");
    CHECK_EQUAL(fault("<a " + repeat("b = \"=\" ", 65) + "/>"),
                "an element has more than 64 attributes");
}

static void deep_nesting_is_refused_at_once() {
    CHECK_EQUAL(fault(repeat("<a>", 100000) + repeat("</a>", 100000)),
                "its elements are nested deeper than 48");
    CHECK_EQUAL(fault(repeat("<a>", 48) + repeat("</a>", 48)), "");
}

// Canonicalisation looks through all of them at each element: 124 KiB took it half a minute.
static void many_namespaces_in_scope_are_refused_at_once() {
    std::string text;
    for (int i = 0; i < 46; ++i) {
        text += "<a";
        for (int j = 0; j < 60; ++j)
            text += fmt::format(" xmlns:p{}_{}='urn:x'", i, j);
        text += ">";
    }
    CHECK_EQUAL(fault(text), "an element and those around it have more than 256 attributes");
    CHECK_EQUAL(fault("<a>" + repeat("<b c='' d='' e=''/>", 500) +
                      repeat("<b c='' d=''></b>", 500) + "</a>"),
                "");
}

static void many_elements_are_refused_at_once() {
    CHECK_EQUAL(fault("<a>" + repeat("<b/>", 100000) + "</a>"), "it has more than 50000 elements");
    CHECK_EQUAL(fault("<a>" + repeat("<b/>", 40000) + "</a>"), "");
}

static void what_is_not_well_formed_is_refused() {
    for (const char *text : {"", " ", "<", "<a", "<a>", "<a/><b/>", "<a b=\"", "<!--",
                             "<a><![CDATA[", "text", "<a>&b;</a>", "<a>&b</a>", "<p:a/>",
                             "<a b='1' b='2'/>", "<a xmlns:p=''/>", "</a>", "<a>\x01</a>", "{}"})
        CHECK(!fault(text).empty());
}

static void a_file_or_network_is_never_read() {
    CHECK(!fault("<a>&xxe;</a>").empty());
    CHECK_EQUAL(fault("<a xmlns:xi=\"http://www.w3.org/2001/XInclude\"><xi:include "
                      "href=\"file:///etc/passwd\" parse=\"text\"/></a>"),
                ""); // left as it is
}

int main() {
    return run("soap document",
               {TEST(plain_documents_are_parsed), TEST(a_doctype_is_refused),
                TEST(a_processing_instruction_is_refused), TEST(another_encoding_hides_nothing),
                TEST(many_attributes_are_refused_at_once), TEST(deep_nesting_is_refused_at_once),
                TEST(many_namespaces_in_scope_are_refused_at_once),
                TEST(many_elements_are_refused_at_once), TEST(what_is_not_well_formed_is_refused),
                TEST(a_file_or_network_is_never_read)});
}
