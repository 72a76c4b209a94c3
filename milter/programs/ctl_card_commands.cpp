#include "programs/ctl_card_commands.hpp"

#include <string>

namespace demail::ctl {
namespace {

using Act = int (*)(const CardWords &);

void add_socket(CLI::App &command, CardWords &words) {
    command.add_option("--socket", words.socket, "demail-cardd's socket")->type_name("PATH");
}

void add_card(CLI::App &command, CardWords &words) {
    add_socket(command, words);
    command
        .add_option("--card", words.card,
                    "The card's serial number or its end; needed where there "
                    "are several")
        ->type_name("SERIAL");
}

void add_entry(CLI::App &command, CardWords &words) {
    add_card(command, words);
    command
        .add_option("--pin", words.pin,
                    "Which PIN, as \"demailctl pin status\" calls it; without: the keys' one")
        ->type_name("NAME");
    command
        .add_option("--pin-fd", words.pin_fd,
                    "Read from this file descriptor, a line for each, instead of the terminal")
        ->type_name("N")
        ->check(CLI::Range(0, 1 << 20));
}

void add_last_try(CLI::App &command, CardWords &words) {
    command.add_flag("--last-try", words.last_try,
                     "Use the last try too; a wrong PIN then blocks it");
}

void add_json(CLI::App &command, CardWords &words) {
    command.add_flag("--json", words.json, "Print JSON");
}

CLI::App &add(CLI::App &to, const char *name, const char *purpose, CardWords &words,
              std::function<int()> &action, Act act) {
    CLI::App &command = *to.add_subcommand(name, purpose);
    command.callback([&words, &action, act] { action = [&words, act] { return act(words); }; });
    return command;
}

} // namespace

void add_card_commands(CLI::App &app, CardWords &words, std::function<int()> &action) {
    CLI::App &unlock = add(app, "unlock", "Give the card its PIN, so that the gateway can sign",
                           words, action, unlock_card);
    add_entry(unlock, words);
    add_last_try(unlock, words);
    add_card(add(app, "lock", "Forget the PIN and take the card's power; without --card: of all",
                 words, action, lock_card),
             words);

    CLI::App &pin = *app.add_subcommand("pin", "Look at the card's PINs, or change them");
    pin.require_subcommand(1);
    CLI::App &status =
        add(pin, "status", "Show how many tries each has; costs none", words, action, show_pins);
    add_card(status, words);
    add_json(status, words);
    add_entry(add(pin, "set", "Set a PIN that was never set, once in the card's life", words,
                  action, set_pin),
              words);
    CLI::App &change = add(pin, "change", "Change a PIN", words, action, change_pin);
    add_entry(change, words);
    add_last_try(change, words);
    CLI::App &unblock = add(pin, "unblock", "Give a blocked PIN its tries back, by the PUK", words,
                            action, unblock_pin);
    add_entry(unblock, words);
    add_last_try(unblock, words);

    CLI::App &card = *app.add_subcommand("card", "Look at the cards");
    card.require_subcommand(1);
    CLI::App &cards =
        add(card, "status", "Show the cards that demail-cardd knows", words, action, show_cards);
    add_socket(cards, words);
    add_json(cards, words);
    CLI::App &probe = add(card, "probe",
                          "Write all that a card shows without a PIN, to be sent in where it is "
                          "not supported",
                          words, action, probe_card);
    add_socket(probe, words);
    probe.add_option("--reader", words.reader, "Where there are several")->type_name("NAME");
    CLI::App &audit = add(card, "audit", "Check the chain of demail-cardd's audit log", words,
                          action, check_audit_log);
    add_json(audit, words);
    audit.add_option("--state", words.state, "demail-cardd's state directory, or a copy of it")
        ->type_name("DIR")
        ->capture_default_str();
}

} // namespace demail::ctl
