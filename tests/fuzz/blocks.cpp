// The list of blocks: what is taken is what would be written, and nothing shorter is taken for it.
#include "message/blocks.hpp"

#include "fuzz.hpp"

namespace demail::fuzz {

void blocks(std::string_view text) {
    const auto parsed = Blocks::parse(text);
    if (const auto *sentence = std::get_if<std::string>(&parsed)) {
        HOLDS(!sentence->empty());
        return;
    }
    const auto &good = std::get<Blocks>(parsed);
    const std::string written = good.str();
    HOLDS(good.all().size() <= Blocks::most && written.size() <= Blocks::longest_text);
    const auto again = Blocks::parse(written);
    HOLDS(std::holds_alternative<Blocks>(again) && std::get<Blocks>(again).str() == written);
    HOLDS(std::holds_alternative<std::string>(
        Blocks::parse(std::string_view(written).substr(0, written.size() - 1))));
    for (const auto &[key, block] : good.all()) {
        HOLDS(good.find(block.what, block.value) == &block);
        if (block.what == Block::What::address)
            HOLDS(Address::parse(block.value)->lower() == block.value);
    }
}

} // namespace demail::fuzz
