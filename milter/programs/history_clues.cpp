#include "programs/history_clues.hpp"

#include "base/digest.hpp"
#include "message/ascii.hpp"

#include <algorithm>
#include <stdexcept>

namespace demail {

using journal::Clue;

namespace {

constexpr std::string_view prefix = "g1-";
constexpr std::size_t digits = 40, fewest = 8;

bool hex_digits(std::string_view text) {
    return !text.empty() && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

bool letters_and_digits(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    });
}

void add_private_ids(std::string_view text, std::vector<NamedClue> &clues) {
    const bool named = text.starts_with(prefix);
    const std::string_view rest = named ? text.substr(prefix.size()) : text;
    if (named && rest.size() > digits && hex_digits(rest.substr(0, digits)))
        clues.push_back({Clue::private_id, std::string(text)});
    if (!hex_digits(rest) || rest.size() > digits) return;
    if (rest.size() >= fewest)
        clues.push_back({Clue::beginning, std::string(prefix) + std::string(rest)});
    else if (named)
        throw std::invalid_argument("the beginning of a private-id must have " +
                                    std::to_string(fewest) + " hex digits or more");
}

} // namespace

std::vector<NamedClue> clues_of(std::string_view given) {
    const std::string_view text = ascii::trim(given);
    std::vector<NamedClue> clues;
    if (text.empty()) return clues;
    add_private_ids(text, clues);
    if (letters_and_digits(text)) clues.push_back({Clue::queue_id, std::string(text)});
    const bool bracketed = text.size() > 2 && text.front() == '<' && text.back() == '>';
    const std::string bare(bracketed ? text.substr(1, text.size() - 2) : text);
    for (const Clue clue : {Clue::mail_id, Clue::message_id})
        for (const std::string &form : {"<" + bare + ">", bare})
            clues.push_back({clue, form});
    return clues;
}

std::string_view name(Clue clue) noexcept {
    switch (clue) {
    case Clue::queue_id:
        return "queue id";
    case Clue::mail_id:
        return "Message-ID";
    case Clue::message_id:
        return "message id of the provider";
    default:
        return "private-id";
    }
}

} // namespace demail
