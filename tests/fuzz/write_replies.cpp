// Writes the seeds of the target `reply`: write_replies DIRECTORY
#include "replies.hpp"

#include <fstream>

int main(int count, char **arguments) {
    using namespace demail::fuzz;
    if (count != 2) return 64;
    unsigned expected = 0;
    for (const SignedReply &reply : signed_replies) {
        const bool fault = reply.name == "ProviderFault";
        const bool recipient = reply.name == "Recipient";
        const unsigned choices = fault ? 2U << 2U : recipient ? 32U : expected++;
        const std::string file = std::string(arguments[1]) + '/' + std::string(reply.name);
        std::ofstream(file + "-signed", std::ios::binary)
            << static_cast<char>(choices) << sign_envelope(unsigned_envelope(reply));
        std::ofstream(file + "-to-sign", std::ios::binary)
            << static_cast<char>(choices | 16U) << unsigned_envelope(reply);
    }
    return 0;
}
