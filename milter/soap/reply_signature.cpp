#include "soap/reply_signature.hpp"

#include "soap/canonical.hpp"
#include "soap/names.hpp"
#include "soap/verify.hpp"

#include <fmt/format.h>
#include <openssl/x509.h>

#include <algorithm>
#include <map>
#include <sstream>
#include <stdexcept>

namespace demail::soap {

namespace {

constexpr std::size_t most_references = 16;
constexpr std::size_t most_prefixes = 32; // each is looked for at each element

using Fault = std::optional<std::string>;
using Ids = std::map<std::string, xmlNode *, std::less<>>;

// Any attribute that some reader could take for an Id counts, so that a name stands for one element
// whoever reads.
Fault collect_ids(xmlNode *element, Ids &ids) {
    for (const xmlAttr *at = element->properties; at != nullptr; at = at->next) {
        std::string name(reinterpret_cast<const char *>(at->name));
        if (name.size() != 2 || (name[0] | 0x20) != 'i' || (name[1] | 0x20) != 'd') continue;
        if (!ids.emplace(text_of(reinterpret_cast<const xmlNode *>(at)), element).second)
            return "two elements have the same Id";
    }
    for (xmlNode *child : elements(element))
        if (auto fault = collect_ids(child, ids)) return fault;
    return std::nullopt;
}

// A Transform or CanonicalizationMethod: exclusive C14N, with the prefixes of its PrefixList.
std::optional<std::vector<std::string>> exclusive_prefixes(const xmlNode *method) {
    if (attribute(method, "Algorithm") != names::exclusive_c14n) return std::nullopt;
    std::vector<std::string> prefixes;
    for (const xmlNode *parameter : elements(method)) {
        if (!is(parameter, names::exclusive_c14n, "InclusiveNamespaces")) return std::nullopt;
        std::istringstream list(attribute(parameter, "PrefixList").value_or(""));
        for (std::string prefix; list >> prefix;)
            prefixes.push_back(prefix);
    }
    if (prefixes.size() > most_prefixes) return std::nullopt;
    return prefixes;
}

const EVP_MD *digest_named(const std::optional<std::string> &uri) {
    if (uri == names::sha256) return sha256_algorithm();
    if (uri == names::sha384) return EVP_sha384();
    if (uri == names::sha512) return EVP_sha512();
    return nullptr;
}

std::optional<xmlNode *> resolve(const std::optional<std::string> &uri, const Ids &ids) {
    if (!uri || uri->size() < 2 || uri->front() != '#') return std::nullopt;
    const auto found = ids.find(std::string_view(*uri).substr(1));
    if (found == ids.end()) return std::nullopt;
    return found->second;
}

// What a Reference says: digests, and the transform that comes before.
struct Reference {
    std::string uri;
    const xmlNode *transform;
    const EVP_MD *algorithm;
    std::optional<std::string> value;
};

std::variant<Reference, std::string> read_reference(const xmlNode *reference) {
    const xmlNode *transforms = only(reference, names::xmldsig, "Transforms");
    const xmlNode *method = only(reference, names::xmldsig, "DigestMethod");
    const xmlNode *value = only(reference, names::xmldsig, "DigestValue");
    if (transforms == nullptr || method == nullptr || value == nullptr)
        return "one of its references is not complete";
    const auto chain = elements(transforms);
    if (chain.size() != 1 || !is(chain.front(), names::xmldsig, "Transform"))
        return "it uses a transform other than exclusive C14N";
    const EVP_MD *algorithm = digest_named(attribute(method, "Algorithm"));
    if (algorithm == nullptr) return "it uses a digest other than SHA-256, SHA-384 and SHA-512";
    return Reference{attribute(reference, "URI").value_or(""), chain.front(), algorithm,
                     from_base64(text_of(value))};
}

// The element that a Reference names and whose digest fits; nullptr for the content's part. A
// string is the fault.
std::variant<xmlNode *, std::string> check_reference(const xmlNode *element, const Ids &ids,
                                                     const Attachment *attachment) {
    const auto read = read_reference(element);
    if (const auto *fault = std::get_if<std::string>(&read)) return *fault;
    const auto &reference = std::get<Reference>(read);
    if (attachment != nullptr &&
        attribute(reference.transform, "Algorithm") == names::swa_content) {
        const auto digest = attachment->part_digest(reference.uri, reference.algorithm);
        if (!digest) return "it refers to a part that is not there";
        if (reference.value != digest) return "its content was changed after it was signed";
        return static_cast<xmlNode *>(nullptr);
    }
    const auto target = resolve(reference.uri, ids);
    if (!target) return "it refers to an element that is not there";
    const auto prefixes = exclusive_prefixes(reference.transform);
    if (!prefixes) return "it uses a transform other than exclusive C14N";
    const std::string octets = canonical(*target, *prefixes);
    const std::string digest =
        attachment != nullptr
            ? attachment->digest_of(octets, reference.algorithm)
            : digests_of({octets, {}, {}, nullptr}, ContentDigest::infoset, reference.algorithm)
                  .body;
    if (reference.value != digest)
        return fmt::format("{} was changed after it was signed",
                           reinterpret_cast<const char *>((*target)->name));
    return *target;
}

// The pinned certificate in the one BinarySecurityToken, which the KeyInfo names.
std::variant<X509 *, std::string> signing_certificate(const xmlNode *security,
                                                      const xmlNode *signature, const Ids &ids,
                                                      const Signers &signers, Instant now) {
    const xmlNode *token = only(security, names::wsse, "BinarySecurityToken");
    if (token == nullptr) return "it has not exactly one BinarySecurityToken";
    if (attribute(token, "ValueType") != names::x509v3) return "its token is no X.509 certificate";
    const xmlNode *info = only(signature, names::xmldsig, "KeyInfo");
    const xmlNode *str =
        info != nullptr ? only(info, names::wsse, "SecurityTokenReference") : nullptr;
    const xmlNode *reference = str != nullptr ? only(str, names::wsse, "Reference") : nullptr;
    if (reference == nullptr || resolve(attribute(reference, "URI"), ids) != token)
        return "its KeyInfo does not name the BinarySecurityToken";
    const auto der = from_base64(text_of(token));
    if (!der) return "its certificate is not base64";
    const auto found = signers.find(*der);
    if (std::holds_alternative<std::string>(found)) return found;
    X509 *certificate = std::get<X509 *>(found);
    std::time_t moment = std::chrono::system_clock::to_time_t(now);
    if (X509_cmp_time(X509_get0_notBefore(certificate), &moment) >= 0 ||
        X509_cmp_time(X509_get0_notAfter(certificate), &moment) <= 0)
        return "its signer's certificate is not valid now";
    return certificate;
}

} // namespace

std::optional<std::string> check_signature(const xmlNode *security,
                                           std::span<xmlNode *const> must_be_signed,
                                           const Signers &signers, Instant now,
                                           const Attachment *attachment) {
    const xmlNode *signature = only(security, names::xmldsig, "Signature");
    if (signature == nullptr) return "it has not exactly one signature";
    xmlNode *signed_info = only(signature, names::xmldsig, "SignedInfo");
    const xmlNode *value = only(signature, names::xmldsig, "SignatureValue");
    const xmlNode *c14n = signed_info != nullptr
                              ? only(signed_info, names::xmldsig, "CanonicalizationMethod")
                              : nullptr;
    const xmlNode *method =
        signed_info != nullptr ? only(signed_info, names::xmldsig, "SignatureMethod") : nullptr;
    if (value == nullptr || c14n == nullptr || method == nullptr)
        return "its signature is not complete";

    Ids ids;
    if (auto fault = collect_ids(xmlDocGetRootElement(security->doc), ids)) return fault;
    const auto certificate = signing_certificate(security, signature, ids, signers, now);
    if (const auto *fault = std::get_if<std::string>(&certificate)) return *fault;
    X509 *signer = std::get<X509 *>(certificate);

    const auto prefixes = exclusive_prefixes(c14n);
    if (!prefixes) return "its signature uses a canonicalisation other than exclusive C14N";
    const auto bytes = from_base64(text_of(value));
    const auto uri = attribute(method, "Algorithm");
    if (!bytes || !uri) return "its signature is not complete";
    if (auto fault =
            verify(X509_get0_pubkey(signer), *uri, canonical(signed_info, *prefixes), *bytes))
        return fault;

    const auto references = elements(signed_info, names::xmldsig, "Reference");
    if (references.size() > most_references)
        return fmt::format("its signature has more than {} references", most_references);
    std::vector<const xmlNode *> covered;
    for (const xmlNode *reference : references) {
        const auto checked = check_reference(reference, ids, attachment);
        if (const auto *fault = std::get_if<std::string>(&checked)) return *fault;
        covered.push_back(std::get<xmlNode *>(checked));
    }
    if (attachment != nullptr && attachment->needs_part_signed() &&
        std::find(covered.begin(), covered.end(), nullptr) == covered.end())
        return "its content is not signed";
    for (const xmlNode *node : must_be_signed)
        if (std::find(covered.begin(), covered.end(), node) == covered.end())
            return fmt::format("its {} is not signed", reinterpret_cast<const char *>(node->name));
    return std::nullopt;
}

} // namespace demail::soap
