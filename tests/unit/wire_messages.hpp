// One of each message, with something in every field.
#pragma once

#include "wire/message.hpp"

#include <vector>

namespace demail::test {

[[nodiscard]] std::vector<wire::Request> sample_requests();
[[nodiscard]] std::vector<wire::Reply> sample_replies();

} // namespace demail::test
