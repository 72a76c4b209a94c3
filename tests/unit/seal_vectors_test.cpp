// The seal against a second implementation: tests/data/make-seal-vectors.py.
#include "check.hpp"
#include "message/seal.hpp"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <map>
#include <stdexcept>

using namespace demail;

namespace {

using Columns = std::vector<std::string>;

std::string unescaped(std::string text) {
    for (const auto &[escape, c] : {std::pair("\\r", '\r'), {"\\n", '\n'}, {"\\t", '\t'}})
        for (std::size_t at = text.find(escape); at != std::string::npos; at = text.find(escape))
            text.replace(at, 2, 1, c);
    return text;
}

std::string without_blanks(std::string text) {
    std::erase_if(text, [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; });
    return text;
}

std::vector<Columns> vectors(std::string_view kind) {
    const char *source = std::getenv("SRCDIR");
    std::ifstream file(std::string(source == nullptr ? "." : source) +
                       "/tests/data/seal-vectors.txt");
    std::vector<Columns> found;
    for (std::string line; std::getline(file, line);) {
        Columns columns(1);
        for (const char c : line) {
            if (c == '\t')
                columns.emplace_back();
            else
                columns.back() += c;
        }
        if (columns.front() == kind) found.push_back(columns);
    }
    if (found.empty()) throw std::runtime_error("no such lines in tests/data/seal-vectors.txt");
    return found;
}

SealKeys keys() {
    std::string text;
    for (const Columns &line : vectors("key"))
        text += line.at(1) + ' ' + line.at(2) + '\n';
    return std::get<SealKeys>(SealKeys::parse(text));
}

std::string outcome(const std::variant<CheckedSeal, SealFault> &read) {
    const auto *fault = std::get_if<SealFault>(&read);
    if (fault == nullptr) return "ok";
    if (*fault == SealFault::unknown_key) return "unknown-key";
    return *fault == SealFault::forged ? "forged" : "malformed";
}

} // namespace

static void each_seal_of_the_other_implementation_is_read_as_it_says() {
    const SealKeys known = keys();
    for (const Columns &line : vectors("seal"))
        CHECK_EQUAL(line.at(1) + ": " + outcome(read_seal(unescaped(line.at(3)), known)),
                    line.at(1) + ": " + line.at(2));
}

static void what_was_read_is_written_as_the_other_implementation_wrote_it() {
    const SealKeys known = keys();
    for (const Columns &line : vectors("seal")) {
        if (line.at(2) != "ok") continue;
        const auto read = read_seal(unescaped(line.at(3)), known);
        const auto &checked = std::get<CheckedSeal>(read);
        CHECK_EQUAL(without_blanks(write_seal(checked.seal, *checked.key)),
                    without_blanks(unescaped(line.at(3))));
    }
}

static void the_values_are_those_that_were_sealed() {
    const SealKeys known = keys();
    for (const Columns &line : vectors("seal")) {
        if (line.at(1) != "odd characters") continue;
        const auto read = read_seal(unescaped(line.at(3)), known);
        const Seal &seal = std::get<CheckedSeal>(read).seal;
        CHECK_EQUAL(seal.time, 1767225600);
        CHECK_EQUAL(hex(view(seal.n)), "000102030405060708090a0b0c0d0e0f");
        CHECK_EQUAL(seal.account, "Firm; k=x,\t100%");
        CHECK_EQUAL(seal.sender.str(), "anna@firm.de-mail.de");
        CHECK_EQUAL(seal.envelope_sender, "\"a;b=c, d\"@m\u00fcller.example");
        CHECK_EQUAL(seal.options.str(), "confirmation-of-dispatch,private");
        CHECK_EQUAL(seal.tags.size(), 4U);
        CHECK(seal.fields == sha256("fields"));
        CHECK(seal.body == sha256(""));
        return;
    }
    CHECK(false);
}

static void a_seal_covers_its_recipients_and_nobody_else() {
    const SealKeys known = keys();
    std::map<std::string, std::string> values;
    for (const Columns &line : vectors("seal"))
        values[line.at(1)] = unescaped(line.at(3));
    for (const char *kind : {"covered", "stranger"}) {
        for (const Columns &line : vectors(kind)) {
            const auto read = read_seal(values.at(line.at(1)), known);
            const auto &checked = std::get<CheckedSeal>(read);
            const bool covered = checked.seal.covers(*checked.key, *Address::parse(line.at(2)));
            CHECK_EQUAL(line.at(2) + (covered ? " covered" : " stranger"), line.at(2) + ' ' + kind);
        }
    }
}

static void private_id_digits_are_those_of_the_other_implementation() {
    const SealKeys known = keys();
    for (const Columns &line : vectors("private-id")) {
        const auto octets = from_base64url(line.at(1));
        Nonce n{};
        CHECK(octets && octets->size() == n.size());
        std::copy(octets->begin(), octets->end(), n.begin());
        CHECK_EQUAL(known.sealing().private_id_digits(n, line.at(2)), line.at(3));
    }
}

static void the_digest_over_the_fields_is_that_of_the_other_implementation() {
    for (const Columns &line : vectors("fields")) {
        const auto block = from_base64(line.at(1));
        CHECK(block.has_value());
        const auto fields = parse_header(*block);
        CHECK(fields.has_value());
        CHECK_EQUAL(base64url(view(sealed_fields_digest(*fields))), line.at(2));
    }
}

int main() {
    return demail::test::run(
        "seal vectors", {TEST(each_seal_of_the_other_implementation_is_read_as_it_says),
                         TEST(what_was_read_is_written_as_the_other_implementation_wrote_it),
                         TEST(the_values_are_those_that_were_sealed),
                         TEST(a_seal_covers_its_recipients_and_nobody_else),
                         TEST(private_id_digits_are_those_of_the_other_implementation),
                         TEST(the_digest_over_the_fields_is_that_of_the_other_implementation)});
}
