// What the relay does with LMTP: takes the message to disk, admits it, submits it, answers per
// recipient.
#pragma once

#include "lmtp/server.hpp"
#include "message/domain_set.hpp"
#include "relay/settings.hpp"
#include "relay/submitter.hpp"

#include <memory>
#include <mutex>
#include <string>

namespace demail::relay {

/// Thread-safe.
class Service final : public lmtp::Service {
  public:
    Service(std::shared_ptr<const Settings> settings, Submitter &submitter)
        : settings_(std::move(settings)), submitter_(submitter) {}

    void replace(std::shared_ptr<const Settings> settings);
    void replace_domains(std::shared_ptr<const DomainSet> domains);
    [[nodiscard]] std::shared_ptr<const Settings> settings() const;
    [[nodiscard]] std::shared_ptr<const DomainSet> domains() const;

    std::optional<Reply> sender(const lmtp::Envelope &envelope) override;
    std::optional<Reply> recipient(const lmtp::Envelope &envelope,
                                   std::string_view recipient) override;
    std::unique_ptr<lmtp::Delivery> begin(const lmtp::Envelope &envelope, Reply &refusal) override;

  private:
    class Delivery;

    mutable std::mutex mutex_;
    std::shared_ptr<const Settings> settings_;
    std::shared_ptr<const DomainSet> domains_ = std::make_shared<DomainSet>();
    Submitter &submitter_;
};

} // namespace demail::relay
