// Seeded random input for the parsers of what strangers may have written: nothing may throw, and
// what is accepted must be what was made. The seeds are fixed, so that a failure comes again.
#include "check.hpp"
#include "message/private_id.hpp"
#include "message/seal.hpp"

#include <random>

using namespace demail;

namespace {

const SealKeys &keys() {
    static const SealKeys one =
        std::get<SealKeys>(SealKeys::parse("k " + std::string(64, '7') + '\n'));
    return one;
}

std::string valid_seal() {
    Seal seal;
    seal.time = 1767225600;
    seal.account = "firm";
    seal.sender = *Address::parse("anna@firm.de-mail.de");
    seal.envelope_sender = "anna@firm.example";
    seal.options.set(Option::authoritative);
    seal.tags = recipient_tags(keys().sealing(), seal.n, {*Address::parse("b@stadt.de-mail.de")});
    return write_seal(seal, keys().sealing());
}

std::string valid_id() {
    return PrivateId::make(keys().sealing(), Nonce{}, "visible", "order 7; second part").str();
}

class Mutator {
  public:
    explicit Mutator(unsigned seed) : random_(seed) {}

    std::size_t below(std::size_t limit) { return random_() % limit; }

    std::string mutated(std::string text, std::string_view alphabet) {
        for (std::size_t rounds = 1 + below(4); rounds > 0; --rounds) {
            const std::size_t at = below(text.size() + 1);
            switch (below(6)) {
            case 0:
                text.insert(at, 1, static_cast<char>(below(256)));
                break;
            case 1:
                text.insert(at, 1, alphabet[below(alphabet.size())]);
                break;
            case 2:
                text.erase(at, 1 + below(8));
                break;
            case 3:
                text.insert(at, text.substr(below(text.size() + 1), below(40)));
                break;
            case 4:
                if (at < text.size()) text[at] = alphabet[below(alphabet.size())];
                break;
            default:
                text.resize(at);
            }
        }
        return text;
    }

  private:
    std::mt19937 random_;
};

std::string without_blanks(std::string text) {
    std::erase_if(text, [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; });
    return text;
}

} // namespace

static void a_mutated_seal_holds_only_where_blanks_alone_changed() {
    const std::string valid = valid_seal();
    const std::string essence = without_blanks(valid);
    Mutator mutator(1);
    std::size_t held = 0;
    for (int i = 0; i < 30000; ++i) {
        const std::string text = mutator.mutated(valid, "; =,\r\n\tvktnaseordbh%0AZ-_");
        const bool holds = std::holds_alternative<CheckedSeal>(read_seal(text, keys()));
        CHECK_EQUAL(holds, without_blanks(text) == essence);
        held += holds ? 1U : 0U;
    }
    CHECK(held > 0); // otherwise the comparison above has said nothing about acceptance
}

static void a_seal_whose_values_are_random_is_malformed_although_its_key_is_right() {
    // The parsers behind the MAC: what is authentic need not be well formed.
    const std::string essence = without_blanks(valid_seal());
    const std::string sealed = essence.substr(0, essence.rfind(";h="));
    Mutator mutator(2);
    std::size_t held = 0;
    for (int i = 0; i < 30000; ++i) {
        const std::size_t from = sealed.find(";t=");
        const std::string text =
            sealed.substr(0, from) + mutator.mutated(sealed.substr(from), "%,=+-._0123456789abAZ@");
        std::string covered;
        std::string_view rest = text;
        while (!rest.empty()) {
            const std::string_view tag = rest.substr(0, rest.find(';'));
            rest.remove_prefix(std::min(tag.size() + 1, rest.size()));
            if (tag.size() < 2) continue;
            const std::size_t size = tag.size() - 2;
            covered += tag[0];
            for (const unsigned shift : {24U, 16U, 8U, 0U})
                covered += static_cast<char>(size >> shift & 0xffU);
            covered += tag.substr(2);
        }
        const std::string value = text + ";h=" + base64url(view(keys().sealing().mac(covered)));
        const auto read = read_seal(value, keys());
        const auto *checked = std::get_if<CheckedSeal>(&read);
        if (checked == nullptr) continue;
        ++held;
        CHECK_EQUAL(without_blanks(write_seal(checked->seal, *checked->key)),
                    without_blanks(value));
    }
    CHECK(held > 0);
}

static void random_octets_are_no_seal_and_no_private_id() {
    Mutator mutator(3);
    for (int i = 0; i < 20000; ++i) {
        std::string text;
        for (std::size_t size = mutator.below(200); size > 0; --size)
            text += static_cast<char>(mutator.below(256));
        CHECK(!std::holds_alternative<CheckedSeal>(read_seal(text, keys())));
        CHECK(!PrivateId::parse(text));
    }
}

static void a_private_id_that_is_accepted_is_printable_and_keeps_its_text() {
    const std::string valid = valid_id();
    Mutator mutator(4);
    std::size_t accepted = 0;
    for (int i = 0; i < 30000; ++i) {
        const std::string text = mutator.mutated(valid, "g1-;0af AFG");
        const auto id = PrivateId::parse(text);
        if (!id) continue;
        ++accepted;
        CHECK_EQUAL(id->str(), text);
        CHECK(text.size() <= 1024);
        CHECK(text.find_first_not_of("0123456789abcdef", 3) == 43 || text.size() == 43);
        for (const char c : text)
            CHECK(c >= ' ' && c <= '~');
    }
    CHECK(accepted > 0);
}

static void a_private_id_made_of_anything_is_accepted_again() {
    Mutator mutator(5);
    for (int i = 0; i < 5000; ++i) {
        std::string user;
        for (std::size_t size = mutator.below(1500); size > 0; --size)
            user += mutator.below(8) == 0 ? ' ' : static_cast<char>(mutator.below(256));
        const PrivateId id = PrivateId::make(keys().sealing(), Nonce{}, "visible", user);
        const auto again = PrivateId::parse(id.str());
        CHECK(again.has_value());
        CHECK(*again == id);
    }
}

int main() {
    return demail::test::run(
        "seal and private-id, random input",
        {TEST(a_mutated_seal_holds_only_where_blanks_alone_changed),
         TEST(a_seal_whose_values_are_random_is_malformed_although_its_key_is_right),
         TEST(random_octets_are_no_seal_and_no_private_id),
         TEST(a_private_id_that_is_accepted_is_printable_and_keeps_its_text),
         TEST(a_private_id_made_of_anything_is_accepted_again)});
}
