// demailctl cert list on two SoftHSM tokens, read by libp11 without a PIN.
#include "check.hpp"
#include "programs/ctl_cert.hpp"
#include "programs/ctl_verdict.hpp"
#include "soft_token.hpp"

using namespace demail;
using namespace demail::ctl;
using namespace demail::test;

namespace {

SoftTokens &tokens() {
    static SoftTokens all;
    return all;
}

void add(const std::string &token, const std::string &label, const std::string &id, EVP_PKEY *key,
         const CertificateWish &wish) {
    tokens().add_certificate(token, "123456", label, id, make_certificate(key, wish).get());
}

void make_tokens() {
    tokens().add_token("firm", "123456");
    tokens().add_token("other", "123456");
    const Key key = make_key("P-256");
    tokens().add_key("firm", "123456", "demail-auth", "01", key.get());
    CertificateWish wish;
    wish.common_name = "Firma GmbH";
    add("firm", "demail-auth", "01", key.get(), wish);
    wish.extended_key_usage = "emailProtection";
    add("firm", "mail", "02", key.get(), wish);
    wish.extended_key_usage = "clientAuth";
    wish.until_days = -1;
    wish.from_days = -10;
    add("other", "old", "03", key.get(), wish);
}

ListedModules listed() {
    ListedModules modules;
    modules[SoftTokens::module_path()] = list_tokens(SoftTokens::module_path());
    return modules;
}

Configuration configuration(const std::string &path_attributes) {
    Configuration configuration;
    ProviderConfiguration provider;
    provider.name = "fp";
    provider.auth_key = "pkcs11:" + path_attributes + "?module-path=" + SoftTokens::module_path();
    configuration.providers.push_back(provider);
    return configuration;
}

nlohmann::ordered_json json_for(const std::string &path_attributes) {
    return certificates_json(listed(), configured_keys(configuration(path_attributes)));
}

nlohmann::ordered_json certificate(const nlohmann::ordered_json &list, const std::string &label) {
    for (const auto &token : list["tokens"])
        for (const auto &one : token["certificates"])
            if (one["label"] == label) return one;
    throw Failure{"no certificate " + label, __FILE__, __LINE__};
}

std::string verdict_for(const std::string &path_attributes) {
    return json_for(path_attributes)["configured"][0]["verdict"];
}

void every_token_and_certificate_is_listed() {
    const auto list = json_for("token=firm");
    CHECK_EQUAL(list["tokens"].size(), 2U);
    CHECK_EQUAL(certificate(list, "demail-auth")["subject"], "CN=Firma GmbH");
    CHECK_EQUAL(certificate(list, "demail-auth")["id"], "01");
    CHECK_EQUAL(certificate(list, "demail-auth")["uses"], "digitalSignature, clientAuth");
    CHECK_EQUAL(certificate(list, "demail-auth")["sha256"].get<std::string>().size(), 64U);
}

void the_one_to_sign_in_with_is_chosen_and_the_reason_told() {
    const auto list = json_for("token=firm");
    CHECK_EQUAL(certificate(list, "demail-auth")["chosen"], true);
    CHECK_EQUAL(certificate(list, "demail-auth")["reason"], "it is for clientAuth");
    CHECK_EQUAL(certificate(list, "mail")["usable"], false);
    CHECK_EQUAL(certificate(list, "old")["chosen"], false);
    CHECK(certificate(list, "old")["reason"].get<std::string>().find("expired") !=
          std::string::npos);
}

void it_is_told_which_key_of_the_configuration_uses_a_certificate() {
    const auto list = json_for("token=firm");
    CHECK_EQUAL(certificate(list, "demail-auth")["usedBy"][0], "provider fp: auth_key");
    CHECK(certificate(list, "mail")["usedBy"].empty());
    CHECK_EQUAL(certificate(json_for("token=firm;object=mail"), "mail")["usedBy"][0],
                "provider fp: auth_key");
    CHECK_EQUAL(certificate(json_for("token=firm;id=%02"), "mail")["usedBy"][0],
                "provider fp: auth_key");
}

void a_key_of_the_configuration_is_judged() {
    CHECK_EQUAL(verdict_for("token=firm"), "good");
    CHECK_EQUAL(verdict_for("token=firm;object=demail-auth"), "good");
    CHECK_EQUAL(verdict_for("token=firm;object=mail"), "bad");    // for other uses
    CHECK_EQUAL(verdict_for("token=firm;object=nothing"), "bad"); // not there
    CHECK_EQUAL(verdict_for("token=other"), "bad");               // expired
    CHECK_EQUAL(verdict_for("object=demail-auth"), "bad");        // of which token?
    CHECK_EQUAL(verdict_for("token=nowhere"), "unknown");
}

void the_certificate_of_a_signing_key_may_be_for_other_uses_but_not_expired() {
    const auto verdict = [](const std::string &attributes) {
        Configuration both = configuration("token=firm");
        both.providers[0].sign_key =
            "pkcs11:" + attributes + "?module-path=" + SoftTokens::module_path();
        return certificates_json(listed(), configured_keys(both))["configured"][1]["verdict"]
            .get<std::string>();
    };
    CHECK_EQUAL(verdict("token=firm;object=mail"), "good");
    CHECK_EQUAL(verdict("token=other;object=old"), "bad");
}

void a_module_that_is_not_there_is_told() {
    ListedModules modules;
    modules["/nonexistent.so"] = list_tokens("/nonexistent.so");
    const auto list = certificates_json(modules, {});
    CHECK_EQUAL(list["faults"][0]["module"], "/nonexistent.so");
    CHECK(std::holds_alternative<std::string>(list_tokens(SoftTokens::module_path() + "/x")));
}

void the_exit_code_follows_the_worst() {
    CHECK_EQUAL(list_certificates(configuration("token=firm"), false), exit_good);
    CHECK_EQUAL(list_certificates(configuration("token=other"), true), exit_bad);
    CHECK_EQUAL(list_certificates(configuration("token=nowhere"), false), exit_unknown);
}

} // namespace

int main() {
    make_tokens();
    return run("ctl_cert",
               {TEST(every_token_and_certificate_is_listed),
                TEST(the_one_to_sign_in_with_is_chosen_and_the_reason_told),
                TEST(it_is_told_which_key_of_the_configuration_uses_a_certificate),
                TEST(a_key_of_the_configuration_is_judged),
                TEST(the_certificate_of_a_signing_key_may_be_for_other_uses_but_not_expired),
                TEST(a_module_that_is_not_there_is_told), TEST(the_exit_code_follows_the_worst)});
}
