#include "filter/milter_callbacks.hpp"

#include "base/log.hpp"
#include "filter/macro_guard.hpp"
#include "filter/negotiation.hpp"
#include "filter/reply_text.hpp"

#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <variant>

namespace demail::filter {
namespace {

const Surroundings *surroundings = nullptr;

struct Connection {
    explicit Connection(const Surroundings &around) : session(around) {}
    Session session;
    bool may_skip = false;       ///< the MTA knows SMFIS_SKIP
    bool may_set_return = false; ///< the MTA takes a parameter of MAIL
    bool failed = false;         ///< at a step that has no reply; said at the next one that has
};

/// A broken peer may skip any step, so each callback is ready to be the first.
Connection &connection(SMFICTX *context) {
    if (void *known = smfi_getpriv(context)) return *static_cast<Connection *>(known);
    auto fresh = std::make_unique<Connection>(*surroundings);
    if (smfi_setpriv(context, fresh.get()) != MI_SUCCESS)
        throw std::runtime_error("libmilter does not take the connection's state");
    return *fresh.release();
}

std::string_view text(const char *from_libmilter) {
    return from_libmilter == nullptr ? std::string_view() : std::string_view(from_libmilter);
}

std::string_view macro(SMFICTX *context, const char *name) {
    return text(smfi_getsymval(context, const_cast<char *>(name)));
}

void log_failure(const char *step, const char *what) noexcept {
    try {
        log::event(log::Level::error, "failed", {{"step", step}, {"reason", what}});
    } catch (...) { // nothing is left to say it with
    }
}

/// Runs a step of the dialogue; whatever goes wrong is a temporary failure.
template <typename Step>
sfsistat guarded(const char *name, Step step) noexcept {
    try {
        return step();
    } catch (const std::exception &error) {
        log_failure(name, error.what());
    } catch (...) {
        log_failure(name, "unknown");
    }
    return SMFIS_TEMPFAIL;
}

/// The same for a step without a reply: the failure is kept until there is one.
template <typename Step>
sfsistat guarded_without_reply(const char *name, SMFICTX *context, Step step) noexcept {
    const sfsistat outcome = guarded(name, step);
    if (outcome == SMFIS_TEMPFAIL) {
        if (auto *known = static_cast<Connection *>(smfi_getpriv(context))) known->failed = true;
    }
    return SMFIS_NOREPLY;
}

sfsistat refuse(SMFICTX *context, const Reply &reply) {
    std::string code = std::to_string(reply.code);
    std::string enhanced = reply.enhanced;
    std::string sentence = reply_text(reply.text);
    if (smfi_setreply(context, code.data(), enhanced.data(), sentence.data()) != MI_SUCCESS)
        log_failure("reply", "libmilter does not take the text of a reply");
    return code.front() == '4' ? SMFIS_TEMPFAIL : SMFIS_REJECT;
}

extern "C" {

sfsistat on_negotiate(SMFICTX *context, unsigned long offered_actions, unsigned long offered_steps,
                      unsigned long, unsigned long, unsigned long *actions, unsigned long *steps,
                      unsigned long *, unsigned long *) noexcept {
    return guarded("negotiate", [&] {
        if (!negotiate(context, offered_actions, offered_steps, actions, steps))
            return SMFIS_REJECT; // libmilter logs it and hangs up
        connection(context).may_skip = (*steps & SMFIP_SKIP) != 0;
        connection(context).may_set_return = (*actions & SMFIF_CHGFROM) != 0;
        return SMFIS_CONTINUE;
    });
}

sfsistat on_mail(SMFICTX *context, char **arguments) noexcept {
    return guarded_without_reply("mail", context, [&] {
        Connection &one = connection(context);
        one.failed = false;
        one.session.mail(text(arguments[0]),
                         {macro(context, "{client_addr}"), macro(context, "{daemon_port}"),
                          macro(context, "{auth_authen}"), macro(context, "i")});
        return SMFIS_CONTINUE;
    });
}

sfsistat on_recipient(SMFICTX *context, char **arguments) noexcept {
    return guarded("recipient", [&] {
        Connection &one = connection(context);
        if (one.failed || arguments[0] == nullptr) return SMFIS_TEMPFAIL;
        const auto reply = one.session.recipient(arguments[0], macro(context, "i"));
        return reply ? refuse(context, *reply) : SMFIS_CONTINUE;
    });
}

sfsistat on_header(SMFICTX *context, char *name, char *value) noexcept {
    return guarded_without_reply("header", context, [&] {
        connection(context).session.header(text(name), text(value));
        return SMFIS_CONTINUE;
    });
}

sfsistat on_end_of_header(SMFICTX *context) noexcept {
    return guarded("end of header", [&] {
        Connection &one = connection(context);
        if (one.failed) return SMFIS_TEMPFAIL;
        const auto outcome = one.session.end_of_header(macro(context, "i"));
        if (const auto *reply = std::get_if<Reply>(&outcome)) {
            one.session.abort();
            return refuse(context, *reply);
        }
        if (std::get<AfterHeader>(outcome) != AfterHeader::let_go) return SMFIS_CONTINUE;
        one.session.abort();
        return SMFIS_ACCEPT;
    });
}

sfsistat on_body(SMFICTX *context, unsigned char *piece, size_t size) noexcept {
    return guarded("body", [&] {
        Connection &one = connection(context);
        if (one.failed) return SMFIS_TEMPFAIL;
        if (!one.session.wants_body()) return one.may_skip ? SMFIS_SKIP : SMFIS_CONTINUE;
        one.session.body({reinterpret_cast<const char *>(piece), size});
        return SMFIS_CONTINUE;
    });
}

sfsistat on_end_of_message(SMFICTX *context) noexcept {
    return guarded("end of message", [&] {
        Connection &one = connection(context);
        if (one.failed) return SMFIS_TEMPFAIL;
        auto outcome = one.session.end_of_message(macro(context, "i"));
        if (const auto *reply = std::get_if<Reply>(&outcome)) {
            one.session.abort();
            return refuse(context, *reply);
        }
        auto &changes = std::get<Changes>(outcome);
        for (Removal &removal : changes.removals) {
            if (smfi_chgheader(context, removal.name.data(), static_cast<int>(removal.index),
                               nullptr) != MI_SUCCESS)
                throw std::runtime_error("the MTA does not take a deletion");
        }
        if (changes.subject && smfi_chgheader(context, changes.subject->name.data(), 1,
                                              changes.subject->value.data()) != MI_SUCCESS)
            throw std::runtime_error("the MTA does not take the subject without its flags");
        if (changes.seal) {
            std::string name(seal_field);
            if (smfi_insheader(context, 0, name.data(), changes.seal->data()) != MI_SUCCESS)
                throw std::runtime_error("the MTA does not take the seal");
        }
        if (changes.sender && one.may_set_return) {
            std::string parameter = "RET=HDRS";
            if (smfi_chgfrom(context, changes.sender->data(), parameter.data()) != MI_SUCCESS)
                throw std::runtime_error("the MTA does not take RET=HDRS");
        }
        one.session.changes_made(macro(context, "i"));
        return SMFIS_CONTINUE;
    });
}

sfsistat on_abort(SMFICTX *context) noexcept {
    if (auto *known = static_cast<Connection *>(smfi_getpriv(context))) {
        guarded("abort", [&] {
            known->session.abort();
            return SMFIS_CONTINUE;
        });
    }
    return SMFIS_CONTINUE;
}

sfsistat on_close(SMFICTX *context) noexcept {
    const std::unique_ptr<Connection> last(static_cast<Connection *>(smfi_getpriv(context)));
    smfi_setpriv(context, nullptr);
    return SMFIS_CONTINUE;
}

} // extern "C"

} // namespace

smfiDesc callbacks(const Surroundings &around) {
    surroundings = &around;
    guard_macros();
    static std::string name = "demail-milter"; // libmilter keeps the pointer
    smfiDesc description{};
    description.xxfi_name = name.data();
    description.xxfi_version = SMFI_VERSION;
    description.xxfi_flags = wanted_actions | welcome_actions;
    description.xxfi_envfrom = on_mail;
    description.xxfi_envrcpt = on_recipient;
    description.xxfi_header = on_header;
    description.xxfi_eoh = on_end_of_header;
    description.xxfi_body = on_body;
    description.xxfi_eom = on_end_of_message;
    description.xxfi_abort = on_abort;
    description.xxfi_close = on_close;
    description.xxfi_negotiate = on_negotiate;
    return description;
}

} // namespace demail::filter
