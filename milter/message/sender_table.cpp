#include "message/sender_table.hpp"

#include "message/ascii.hpp"

#include <algorithm>

namespace demail {

namespace {

/// FNV-1a of two parts. A stranger's rule under the same key costs a reading of its line and
/// nothing else: what is found is compared.
std::uint32_t key_of(std::string_view first, std::string_view second) {
    std::uint32_t hash = 2166136261U;
    const auto take = [&](char c) { hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U; };
    for (const char c : first)
        take(ascii::lower(c));
    take('\0');
    for (const char c : second)
        take(ascii::lower(c));
    return hash;
}

/// The one login that a rule asks for; "" where it may be several.
std::string_view only_login(const SenderRule &rule) {
    return rule.login.starts_with('*') || rule.login == "any" ? std::string_view() : rule.login;
}

std::string anybody_of(const std::string &domain) {
    return "*@" + domain;
}

} // namespace

std::variant<std::shared_ptr<const SenderTable>, std::vector<SenderTable::Fault>>
SenderTable::parse(std::string text, Owner owner) {
    std::vector<Fault> faults;
    if (text.size() > longest_text) {
        faults.push_back({0, "the file is larger than 64 MiB."});
        return faults;
    }
    // Not make_shared: the constructor is this class's own.
    const std::shared_ptr<SenderTable> table(new SenderTable(std::move(text), std::move(owner)));
    std::size_t more = 0;
    std::uint32_t number = 0;
    for (std::size_t start = 0; start < table->text_.size();) {
        ++number;
        const std::string_view line = table->line_at(static_cast<std::uint32_t>(start));
        const std::size_t here = start;
        start += line.size() + 1;
        const std::string_view trimmed = ascii::trim(line);
        if (trimmed.empty() || trimmed.front() == '#') continue;
        auto read = parse_sender_line(trimmed, table->owner_.account, table->owner_.domains);
        if (const auto *rule = std::get_if<SenderRule>(&read)) {
            if (table->lines_.size() == most_rules) {
                faults.push_back({number, "more than " + std::to_string(most_rules) + " rules."});
                break;
            }
            table->add(*rule, {static_cast<std::uint32_t>(here), number});
        } else if (faults.size() < most_faults) {
            faults.push_back({number, std::move(std::get<std::string>(read))});
        } else {
            ++more;
        }
    }
    if (more > 0) faults.push_back({0, std::to_string(more) + " more lines are faulty."});
    if (!faults.empty()) return faults;
    for (Index *index : {&table->by_sender_, &table->by_mapping_}) {
        std::sort(index->begin(), index->end());
        index->shrink_to_fit();
    }
    table->lines_.shrink_to_fit();
    return std::shared_ptr<const SenderTable>(table);
}

void SenderTable::add(const SenderRule &rule, Line line) {
    const auto place = static_cast<std::uint32_t>(lines_.size());
    lines_.push_back(line);
    const std::string from = rule.from.str(), as = rule.as.str();
    by_sender_.push_back({key_of(from, only_login(rule)), place});
    by_mapping_.push_back({key_of(from, as), place});
    if (rule.delegate) {
        const std::string delegate = rule.delegate->lower();
        by_sender_.push_back({key_of(delegate, only_login(rule)), place});
        by_mapping_.push_back({key_of(delegate, as), place});
    }
    if (!domains_.contains(rule.from.domain())) domains_.insert(rule.from.domain());
}

std::string_view SenderTable::line_at(std::uint32_t start) const {
    const std::string_view rest = std::string_view(text_).substr(start);
    return rest.substr(0, rest.find('\n'));
}

std::shared_ptr<const SenderRule> SenderTable::rule(std::uint32_t place) const {
    const Line &line = lines_[place];
    auto read = parse_sender_line(ascii::trim(line_at(line.start)), owner_.account, owner_.domains);
    auto &rule = std::get<SenderRule>(read); // it was one when the table was made
    rule.file = owner_.file;
    rule.line = line.number;
    return std::make_shared<const SenderRule>(std::move(rule));
}

/// Places of rules, in the file's order, each once.
std::vector<std::uint32_t>
SenderTable::candidates(const Index &index, std::initializer_list<std::uint32_t> keys) const {
    std::vector<std::uint32_t> places;
    for (const std::uint32_t key : keys)
        for (auto at = std::lower_bound(index.begin(), index.end(), Entry{key, 0});
             at != index.end() && at->key == key; ++at)
            places.push_back(at->rule);
    std::sort(places.begin(), places.end());
    places.erase(std::unique(places.begin(), places.end()), places.end());
    return places;
}

std::optional<Right> SenderTable::find(const Submitter &who, const Fits &fits) const {
    if (!who.envelope_sender) return std::nullopt;
    const std::string sender = who.envelope_sender->lower();
    const std::string anybody = anybody_of(who.envelope_sender->domain());
    for (const std::uint32_t place :
         candidates(by_sender_, {key_of(sender, who.login), key_of(sender, ""),
                                 key_of(anybody, who.login), key_of(anybody, "")})) {
        auto one = rule(place);
        if (auto address = fits(*one)) return Right{std::move(one), std::move(*address)};
    }
    return std::nullopt;
}

bool SenderTable::find_mapping(const Address &envelope_sender, const Address &demail_sender,
                               const std::function<bool(Right)> &take) const {
    const std::string sender = envelope_sender.lower(), as = demail_sender.lower();
    const std::string anybody = anybody_of(envelope_sender.domain());
    for (const std::uint32_t place :
         candidates(by_mapping_, {key_of(sender, as), key_of(anybody, as),
                                  key_of(anybody, anybody_of(demail_sender.domain()))})) {
        auto one = rule(place);
        const auto address = entitled(*one, envelope_sender);
        if (address && *address == demail_sender && take({std::move(one), *address})) return true;
    }
    return false;
}

} // namespace demail
