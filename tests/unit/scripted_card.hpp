// A card that answers as a table says, for what neither a real card nor the virtual one can be made
// to show. What was sent stays readable after the Card took the transport.
#pragma once

#include "base/digest.hpp"
#include "tcos/transport.hpp"

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace demail::test {

using Answer = std::variant<tcos::Bytes, tcos::Loss>;

inline tcos::Bytes octets(std::string_view hex_text) {
    const auto bytes = from_hex(hex_text);
    if (!bytes) throw std::invalid_argument("no hex digits");
    return {bytes->begin(), bytes->end()};
}

inline std::string text_hex(tcos::View bytes) {
    return hex(tcos::text_of(bytes));
}

/// The script and the record, in one.
struct Script {
    std::map<std::string, std::string> answers; ///< command: answer, hex digits in lower case
    std::string otherwise = "6d00";
    /// Asked first, with the APDU's number from 0 on.
    std::function<std::optional<Answer>(std::size_t number, const std::string &command)> instead;
    std::vector<std::string> sent;

    [[nodiscard]] std::size_t count(std::string_view beginning) const {
        return static_cast<std::size_t>(
            std::count_if(sent.begin(), sent.end(), [&](const std::string &command) {
                return command.compare(0, beginning.size(), beginning) == 0;
            }));
    }
};

class ScriptedCard : public tcos::Transport {
  public:
    explicit ScriptedCard(std::shared_ptr<Script> script) : script_(std::move(script)) {}

    tcos::Transmitted transmit(tcos::View command, std::span<unsigned char> answer) override {
        const std::string name = text_hex(command);
        const std::size_t number = script_->sent.size();
        script_->sent.push_back(name);
        if (script_->instead) {
            const auto other = script_->instead(number, name);
            if (other) return give(*other, answer);
        }
        const auto known = script_->answers.find(name);
        return give(octets(known == script_->answers.end() ? script_->otherwise : known->second),
                    answer);
    }

  private:
    static tcos::Transmitted give(const Answer &what, std::span<unsigned char> answer) {
        if (const auto *loss = std::get_if<tcos::Loss>(&what)) return *loss;
        const auto &bytes = std::get<tcos::Bytes>(what);
        if (bytes.size() > answer.size()) return tcos::Loss::garbled;
        std::copy(bytes.begin(), bytes.end(), answer.begin());
        return bytes.size();
    }

    std::shared_ptr<Script> script_;
};

} // namespace demail::test
