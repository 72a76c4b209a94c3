#include "programs/ctl_postfix_lines.hpp"

#include "programs/ctl_postfix_list.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <functional>
#include <optional>

namespace demail::ctl {

namespace {

constexpr unsigned long message_size = 47185920;
constexpr std::string_view tempfail = "default_action=tempfail";
constexpr const char *lmtp_settings[] = {
    "lmtp_send_xforward_command=yes", "lmtp_line_length_limit=0",
    "lmtp_header_checks=", "lmtp_generic_maps=", "lmtp_fallback_relay="};

using Elements = std::vector<std::string>;

std::string value_in(const PostfixFacts::Settings &settings, std::string_view name) {
    const auto found = settings.find(name);
    return found == settings.end() ? "" : found->second;
}

std::string of_path(const std::string &socket) {
    return "unix:" + socket;
}

class Joining {
  public:
    Joining(const PostfixFacts &facts, const Wishes &wishes) : facts_(facts), wishes_(wishes) {}

    PostfixLines all() {
        fixed("enable_long_queue_ids", {"yes"});
        // "normalize" is what "yes" is called since Postfix 3.9; "reject" is stricter.
        fixed("smtpd_forbid_bare_newline", {"yes", "normalize", "reject"});
        if (!facts_.settings.contains("smtpd_forbid_bare_newline"))
            lines_.main_cf.back().note =
                "this Postfix does not know it and is open to SMTP smuggling: update it";
        fixed("smtpd_forbid_bare_newline_exclusions", {""});
        at_least("message_size_limit", message_size);
        // local(8) and virtual(8) refuse to work where a mailbox may hold less than one message.
        const unsigned long whole =
            std::max(number("message_size_limit").value_or(0), message_size);
        if (!satisfied("mailbox_size_limit", whole)) at_least("mailbox_size_limit", whole);
        if (!satisfied("virtual_mailbox_limit", whole)) at_least("virtual_mailbox_limit", whole);
        smtpd_milters();
        non_smtpd_milters();
        transport_maps();
        // Else smtp(8) reads "ß" as "ss", and the maps do not.
        fixed("enable_idna2003_compatibility", {"no"});
        fixed("demail_destination_recipient_limit", {"0"});
        for (const SealChecks &one : seal_checks)
            checks(one);
        lmtp_service();
        if (!wishes_.inbound.empty()) inbound_service();
        return std::move(lines_);
    }

  private:
    [[nodiscard]] std::string raw(std::string_view name) const {
        return value_in(facts_.settings, name);
    }
    [[nodiscard]] std::string expanded(std::string_view name) const {
        return value_in(facts_.expanded, name);
    }

    void main_line(const std::string &name, bool stands, const std::string &wanted) {
        const std::string now = raw(name);
        const std::string value = stands ? now : wanted;
        lines_.main_cf.push_back({name, value.empty() ? name + " =" : name + " = " + value, stands,
                                  stands ? "" : now, ""});
    }

    /// The first of `good` is what is wanted.
    void fixed(const std::string &name, const Elements &good) {
        const bool known = facts_.settings.contains(name);
        main_line(name, known && std::find(good.begin(), good.end(), expanded(name)) != good.end(),
                  good.front());
    }

    [[nodiscard]] std::optional<unsigned long> number(std::string_view name) const {
        const std::string text = expanded(name);
        unsigned long value = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
        if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
        return value;
    }

    /// 0 is no limit; a limit that this Postfix does not know does not limit.
    [[nodiscard]] bool satisfied(std::string_view name, unsigned long least) const {
        if (!facts_.settings.contains(name)) return true;
        const auto now = number(name);
        return now && (*now == 0 || *now >= least);
    }

    void at_least(const std::string &name, unsigned long least) {
        main_line(name, satisfied(name, least), std::to_string(least));
    }

    [[nodiscard]] bool is_our_milter(const std::string &element) const {
        const std::string endpoint = MilterElement(element).endpoint;
        return endpoint == of_path(wishes_.milter_socket) ||
               endpoint == of_path(wishes_.milter_path);
    }
    /// A chrooted daemon finds the socket by the path below the queue directory alone.
    [[nodiscard]] bool good_milter(const std::string &element) const {
        const MilterElement milter(element);
        return milter.endpoint == of_path(wishes_.milter_socket) && milter.has(tempfail);
    }
    [[nodiscard]] std::string our_milter() const {
        return fmt::format("{{ {}, {} }}", of_path(wishes_.milter_socket), tempfail);
    }

    /// Ours once, and last: it seals what the others have left of the message.
    [[nodiscard]] bool ours_is_last(const Elements &elements) const {
        return !elements.empty() && good_milter(elements.back()) &&
               std::count_if(elements.begin(), elements.end(),
                             [&](const std::string &one) { return is_our_milter(one); }) == 1;
    }

    [[nodiscard]] std::string with_ours_last(Elements elements, const std::string &fallback) const {
        std::string ours = fallback;
        for (const std::string &one : elements)
            if (good_milter(one)) ours = one;
        elements.erase(std::remove_if(elements.begin(), elements.end(),
                                      [&](const std::string &one) { return is_our_milter(one); }),
                       elements.end());
        elements.push_back(ours);
        return joined(elements);
    }

    void smtpd_milters() {
        main_line("smtpd_milters", ours_is_last(list_elements(expanded("smtpd_milters"))),
                  with_ours_last(list_elements(raw("smtpd_milters")), our_milter()));
    }

    static bool is_smtpd_milters(const std::string &element) {
        return element == "$smtpd_milters" || element == "${smtpd_milters}" ||
               element == "$(smtpd_milters)";
    }

    void non_smtpd_milters() {
        Elements elements = list_elements(raw("non_smtpd_milters"));
        const auto reference = std::find_if(elements.begin(), elements.end(), is_smtpd_milters);
        // With the reference, ours is last where smtpd_milters is as it is to be.
        bool stands = ours_is_last(list_elements(expanded("non_smtpd_milters")));
        std::string wanted = "$smtpd_milters";
        if (reference != elements.end()) {
            stands = stands || reference + 1 == elements.end();
            std::rotate(reference, reference + 1, elements.end());
            elements.erase(
                std::remove_if(elements.begin(), elements.end(),
                               [&](const std::string &one) { return is_our_milter(one); }),
                elements.end());
            wanted = joined(elements);
        } else if (!elements.empty()) {
            wanted = with_ours_last(elements, our_milter());
        }
        main_line("non_smtpd_milters", stands, wanted);
    }

    [[nodiscard]] bool is_our_pipemap(const std::string &element) const {
        return element.starts_with("pipemap:") &&
               without_blanks(element).find(':' + without_blanks(wishes_.domains) + ',') !=
                   std::string::npos;
    }

    /// The tables of refusals first: what they know must not be decided by another's entry for the
    /// whole address. Postfix looks a domain up after that, so that ours may come last.
    void transport_maps() {
        const auto pipemap = [&](const std::string &type) {
            return fmt::format("pipemap:{{{}:{}, static:{{demail:unix:{}}}}}", type,
                               wishes_.domains, wishes_.lmtp_socket);
        };
        const std::string ours =
            without_blanks(pipemap(value_in(facts_.expanded, "default_database_type")));
        const std::string hidden = "regexp:" + wishes_.domains + ".hidden";
        const Elements now = list_elements(expanded("transport_maps"));
        const bool stands =
            now.size() >= 3 && is_our_table(now[0], "strange-address") && now[1] == hidden &&
            std::any_of(now.begin(), now.end(),
                        [&](const std::string &one) { return without_blanks(one) == ours; });
        Elements elements = list_elements(raw("transport_maps"));
        elements.erase(std::remove_if(elements.begin(), elements.end(),
                                      [&](const std::string &one) {
                                          return is_our_table(one, "strange-address") ||
                                                 one == hidden || is_our_pipemap(one);
                                      }),
                       elements.end());
        elements.insert(elements.begin(),
                        {"regexp:" + wishes_.tables + "/strange-address", hidden});
        elements.push_back(pipemap("$default_database_type"));
        main_line("transport_maps", stands, joined(elements));
    }

    void checks(const SealChecks &one) {
        Elements elements = list_elements(raw(one.parameter));
        elements.erase(std::remove_if(elements.begin(), elements.end(),
                                      [&](const std::string &element) {
                                          return is_our_table(element, one.table);
                                      }),
                       elements.end());
        elements.insert(elements.begin(), "regexp:" + wishes_.tables + "/" + one.table);
        main_line(one.parameter, one.first_in(expanded(one.parameter)), joined(elements));
    }

    void service_line(const std::string &name, const std::string &wanted,
                      const std::function<bool(const MasterLine &)> &good) {
        PostfixLine line{name, wanted, false, "", ""};
        for (const std::string &one : facts_.services) {
            const MasterLine service(one);
            if (service.name != name || service.type != "unix") continue;
            line.stands = good(service);
            line.was = line.stands ? "" : one;
            if (line.stands) line.line = one;
        }
        lines_.master_cf.push_back(std::move(line));
    }

    void lmtp_service() {
        std::string wanted = "demail unix - - n - - lmtp";
        for (const char *setting : lmtp_settings)
            wanted += std::string(" -o ") + setting;
        service_line("demail", wanted, [](const MasterLine &service) {
            return service.command == "lmtp" &&
                   std::all_of(std::begin(lmtp_settings), std::end(lmtp_settings),
                               [&](const char *setting) { return service.has(setting); });
        });
    }

    void inbound_service() {
        service_line(wishes_.inbound,
                     fmt::format("{} unix n - n - - smtpd -o {{ smtpd_milters={} }}",
                                 wishes_.inbound, our_milter()),
                     [&](const MasterLine &service) {
                         const Elements milters = list_elements(service.value("smtpd_milters"));
                         return service.command == "smtpd" && milters.size() == 1 &&
                                good_milter(milters.front());
                     });
    }

    const PostfixFacts &facts_;
    const Wishes &wishes_;
    PostfixLines lines_;
};

} // namespace

PostfixFacts::Settings PostfixFacts::parse(std::string_view output) {
    Settings settings;
    while (!output.empty()) {
        const auto end = std::min(output.find('\n'), output.size());
        const std::string_view line = output.substr(0, end);
        output.remove_prefix(std::min(end + 1, output.size()));
        const auto equals = line.find(" =");
        if (equals == std::string_view::npos) continue;
        std::string_view value = line.substr(equals + 2);
        if (value.starts_with(' ')) value.remove_prefix(1);
        settings[std::string(line.substr(0, equals))] = value;
    }
    return settings;
}

std::string PostfixFacts::value(std::string_view name) const {
    return value_in(expanded, name);
}

std::string below_queue_directory(const std::string &path, const std::string &queue_directory) {
    const std::string prefix = queue_directory + '/';
    return !queue_directory.empty() && path.starts_with(prefix) ? path.substr(prefix.size()) : path;
}

bool PostfixLines::complete() const {
    const auto stands = [](const PostfixLine &line) { return line.stands; };
    return std::all_of(main_cf.begin(), main_cf.end(), stands) &&
           std::all_of(master_cf.begin(), master_cf.end(), stands);
}

bool SealChecks::first_in(std::string_view value) const {
    const auto elements = list_elements(value);
    return !elements.empty() && is_our_table(elements.front(), table);
}

PostfixLines postfix_lines(const PostfixFacts &facts, const Wishes &wishes) {
    return Joining(facts, wishes).all();
}

} // namespace demail::ctl
