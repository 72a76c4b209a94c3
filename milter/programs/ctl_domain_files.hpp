// The domain list as its files stand, whether the relay runs or not: the text that the milter
// reads, the index that Postfix looks in, and the text that the index was made from.
#pragma once

#include "admin/configuration.hpp"
#include "message/domain_set.hpp"
#include "programs/ctl_verdict.hpp"

#include <optional>
#include <string>
#include <vector>

namespace demail::ctl {

struct DomainFiles {
    std::string text_file, indexed_file;
    std::string index_file; ///< "" where neither Postfix nor the directory tells its name
    std::optional<DomainSet> text, indexed;
    std::vector<Finding> findings; ///< "domain list" and "domain index", what is wrong or good
    [[nodiscard]] Verdict verdict() const;
};

/// Asks Postfix by postconf(1) and postmap(1).
[[nodiscard]] DomainFiles look_at_domain_files(const Configuration &configuration);

struct ListedDomain {
    enum class Where { both, text_only, index_only };
    std::string domain;
    DomainState state = DomainState::active;
    Where where = Where::both;
};

/// All domains of both texts, sorted. Pure.
[[nodiscard]] std::vector<ListedDomain> listed_domains(const DomainSet &text,
                                                       const DomainSet &indexed);

} // namespace demail::ctl
