#include "directory/ldap_search.hpp"

#include "admin/guarded_file.hpp"
#include "base/handle.hpp"
#include "base/log.hpp"

#include <fmt/format.h>
#include <lber.h>
#include <ldap.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <optional>

namespace demail::directory {

namespace {

/// A PDU is one entry, or the end of a page.
constexpr ber_len_t largest_pdu = ber_len_t{4} << 20;

struct Failure {
    std::string sentence;
};

void unbind(LDAP *ld) {
    ::ldap_unbind_ext_s(ld, nullptr, nullptr);
}
void free_message(LDAPMessage *message) {
    ::ldap_msgfree(message);
}
void free_values(berval **values) {
    ::ldap_value_free_len(values);
}
void free_name(char *name) {
    ::ldap_memfree(name);
}
using Connection = Handle<LDAP, unbind>;
using Message = Handle<LDAPMessage, free_message>;
using Values = Handle<berval *, free_values>;
using Name = Handle<char, free_name>;
using Control = Handle<LDAPControl, ldap_control_free>;
using Controls = Handle<LDAPControl *, ldap_controls_free>;

/// What libldap and the server say of a failure; the server's words are foreign.
std::string words_of(LDAP *ld, int code) {
    std::string words = ::ldap_err2string(code);
    char *text = nullptr;
    if (ld != nullptr &&
        ::ldap_get_option(ld, LDAP_OPT_DIAGNOSTIC_MESSAGE, &text) == LDAP_SUCCESS &&
        text != nullptr && *text != '\0')
        words += fmt::format(" ({})", log::escaped(std::string_view(text).substr(0, 200)));
    if (text != nullptr) ::ldap_memfree(text);
    return words;
}

void check(LDAP *ld, int code, const char *what) {
    if (code != LDAP_SUCCESS) throw Failure{fmt::format("{}: {}.", what, words_of(ld, code))};
}

template <typename Value>
void set(LDAP *ld, int option, const Value *value) {
    check(ld, ::ldap_set_option(ld, option, value), "libldap does not take an option");
}

class Session {
  public:
    explicit Session(const Server &server) : server_(server), ld_(open(server)) {
        limit();
        if (!local()) secure();
        bind();
    }

    void search(const Search &search, const std::function<std::string(const Entry &)> &take) {
        std::string cookie;
        do
            cookie = page(search, cookie, take);
        while (!cookie.empty());
    }

  private:
    static Connection open(const Server &server) {
        LDAP *ld = nullptr;
        const int code = ::ldap_initialize(&ld, server.url.c_str());
        Connection connection(ld);
        check(nullptr, code, "the directory's URL cannot be used");
        return connection;
    }
    [[nodiscard]] bool local() const { return server_.url.starts_with("ldapi://"); }

    void limit() {
        const int version = LDAP_VERSION3;
        const timeval patience{server_.timeout.count(), 0};
        set(ld_.get(), LDAP_OPT_PROTOCOL_VERSION, &version);
        set(ld_.get(), LDAP_OPT_NETWORK_TIMEOUT, &patience);
        set(ld_.get(), LDAP_OPT_TIMEOUT, &patience);
        check(ld_.get(), ::ldap_set_option(ld_.get(), LDAP_OPT_REFERRALS, LDAP_OPT_OFF),
              "libldap does not take an option");
        Sockbuf *buffer = nullptr;
        ber_len_t largest = largest_pdu;
        if (::ldap_get_option(ld_.get(), LDAP_OPT_SOCKBUF, &buffer) == LDAP_SUCCESS &&
            buffer != nullptr)
            ::ber_sockbuf_ctrl(buffer, LBER_SB_OPT_SET_MAX_INCOMING, &largest);
    }

    void secure() {
        const int demand = LDAP_OPT_X_TLS_DEMAND, least = LDAP_OPT_X_TLS_PROTOCOL_TLS1_2,
                  client = 0;
        set(ld_.get(), LDAP_OPT_X_TLS_CACERTFILE, server_.ca_file.c_str());
        set(ld_.get(), LDAP_OPT_X_TLS_REQUIRE_CERT, &demand);
        set(ld_.get(), LDAP_OPT_X_TLS_PROTOCOL_MIN, &least);
        set(ld_.get(), LDAP_OPT_X_TLS_NEWCTX, &client);
        // Before anything else: no name, no password without TLS.
        if (!server_.url.starts_with("ldaps://"))
            check(ld_.get(), ::ldap_start_tls_s(ld_.get(), nullptr, nullptr),
                  "TLS with the directory could not be started, or its certificate is not one that "
                  "ca_file vouches for under this name");
    }

    void bind() {
        std::string password;
        if (!server_.bind_dn.empty()) {
            auto read = read_guarded_file(server_.password_file, "the directory's password file",
                                          0137, "0640", 4096);
            if (auto *sentence = std::get_if<std::string>(&read)) throw Failure{*sentence};
            password = std::move(std::get<GuardedFile>(read).text);
            while (!password.empty() && (password.back() == '\n' || password.back() == '\r'))
                password.pop_back();
            // A server may take an empty one for an anonymous bind (RFC 4513 5.1.2).
            if (password.empty())
                throw Failure{fmt::format("the directory's password file {} is empty.",
                                          server_.password_file)};
        }
        const bool external = local() && server_.bind_dn.empty();
        berval secret{password.size(), password.data()};
        const int code =
            ::ldap_sasl_bind_s(ld_.get(), external ? nullptr : server_.bind_dn.c_str(),
                               external ? "EXTERNAL" : nullptr, &secret, nullptr, nullptr, nullptr);
        std::fill(password.begin(), password.end(), '\0');
        // libldap does not tell a certificate that it refuses from a server that is away.
        check(ld_.get(), code,
              code == LDAP_SERVER_DOWN
                  ? "the directory cannot be reached, or its certificate is not one that ca_file "
                    "vouches for under this name"
                  : "the directory refuses the login");
    }

    /// One page; the cookie of the next, "" behind the last.
    std::string page(const Search &search, const std::string &cookie,
                     const std::function<std::string(const Entry &)> &take) {
        std::string copy = cookie;
        berval place{copy.size(), copy.data()};
        LDAPControl *made = nullptr;
        check(ld_.get(), ::ldap_create_page_control(ld_.get(), search.page, &place, 1, &made),
              "the search cannot be written");
        const Control control(made);
        LDAPControl *controls[] = {made, nullptr};
        std::vector<std::string> names{search.from, search.as, search.login};
        for (const std::string &one : {search.defaults, search.allow})
            if (!one.empty()) names.push_back(one);
        std::vector<char *> attributes;
        for (std::string &one : names)
            attributes.push_back(one.data());
        attributes.push_back(nullptr);
        int number = 0;
        check(ld_.get(),
              ::ldap_search_ext(ld_.get(), search.base.c_str(), LDAP_SCOPE_SUBTREE,
                                search.filter.c_str(), attributes.data(), 0, controls, nullptr,
                                nullptr, LDAP_NO_LIMIT, &number),
              "the directory cannot be searched");
        while (true) {
            // One message at a time: a hundred thousand entries are not held at once.
            timeval patience{server_.timeout.count(), 0};
            LDAPMessage *got = nullptr;
            const int type = ::ldap_result(ld_.get(), number, LDAP_MSG_ONE, &patience, &got);
            const Message message(got);
            if (type == 0)
                throw Failure{fmt::format("the directory did not answer within {} s.",
                                          server_.timeout.count())};
            if (type == LDAP_RES_SEARCH_ENTRY) {
                if (auto sentence = take(entry(search, got)); !sentence.empty())
                    throw Failure{std::move(sentence)};
            } else if (type == LDAP_RES_SEARCH_RESULT) {
                return end_of_page(got);
            } else if (type == LDAP_RES_SEARCH_REFERENCE) {
                throw Failure{"the directory refers to another one, so that its answer is not the "
                              "whole: search below another base."};
            } else {
                int code = LDAP_OTHER;
                ::ldap_get_option(ld_.get(), LDAP_OPT_RESULT_CODE, &code);
                check(ld_.get(), code == LDAP_SUCCESS ? LDAP_OTHER : code,
                      "the directory's answer was cut off or is none");
            }
        }
    }

    std::string end_of_page(LDAPMessage *message) {
        int code = LDAP_OTHER;
        LDAPControl **got = nullptr;
        const int parsed =
            ::ldap_parse_result(ld_.get(), message, &code, nullptr, nullptr, nullptr, &got, 0);
        const Controls controls(got);
        check(ld_.get(), parsed, "the directory's answer cannot be read");
        check(ld_.get(), code, "the directory has not answered in full");
        LDAPControl *control = ::ldap_control_find(LDAP_CONTROL_PAGEDRESULTS, got, nullptr);
        ber_int_t count = 0;
        berval cookie{};
        if (control == nullptr ||
            ::ldap_parse_pageresponse_control(ld_.get(), control, &count, &cookie) != LDAP_SUCCESS)
            throw Failure{"the directory does not say whether its answer is the whole (RFC 2696)."};
        std::string next(cookie.bv_val == nullptr ? "" : std::string(cookie.bv_val, cookie.bv_len));
        ::ber_memfree(cookie.bv_val);
        return next;
    }

    std::vector<std::string> values(LDAPMessage *message, const std::string &attribute) {
        std::vector<std::string> found;
        if (attribute.empty()) return found;
        const Values values(::ldap_get_values_len(ld_.get(), message, attribute.c_str()));
        for (berval **one = values.get(); one != nullptr && *one != nullptr; ++one) {
            found.emplace_back((*one)->bv_val, (*one)->bv_len);
            if (found.size() > EntryRules::most_values) break;
        }
        return found;
    }

    Entry entry(const Search &search, LDAPMessage *message) {
        const Name name(::ldap_get_dn(ld_.get(), message));
        return {name ? name.get() : "",           values(message, search.from),
                values(message, search.as),       values(message, search.login),
                values(message, search.defaults), values(message, search.allow)};
    }

    const Server &server_;
    Connection ld_;
};

} // namespace

std::string search(const Server &server, const Search &search,
                   const std::function<std::string(const Entry &)> &take) {
    try {
        Session(server).search(search, take);
        return "";
    } catch (const Failure &failure) {
        return failure.sentence;
    }
}

void take_no_ldap_conf() {
    ::setenv("LDAPNOINIT", "1", 1);
}

} // namespace demail::directory
