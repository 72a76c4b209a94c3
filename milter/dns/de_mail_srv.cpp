#include "dns/de_mail_srv.hpp"

#include <arpa/nameser.h>
#include <netinet/in.h>
#include <resolv.h>

#include <array>
#include <cerrno>
#include <memory>

namespace demail::dns {

namespace {

constexpr unsigned de_mail_port = 1465;

} // namespace

SrvAnswer read_srv(std::string_view answer) {
    ns_msg message;
    if (answer.size() > NS_MAXMSG ||
        ::ns_initparse(reinterpret_cast<const unsigned char *>(answer.data()),
                       static_cast<int>(answer.size()), &message) != 0)
        return SrvAnswer::failed;
    const int code = ns_msg_getflag(message, ns_f_rcode);
    if (code == ns_r_nxdomain) return SrvAnswer::none;
    if (code != ns_r_noerror) return SrvAnswer::failed;
    for (int i = 0; i < ns_msg_count(message, ns_s_an); ++i) {
        ns_rr record;
        if (::ns_parserr(&message, ns_s_an, i, &record) != 0) return SrvAnswer::failed;
        // RFC 2782: priority, weight, port, two bytes each, then the target.
        if (ns_rr_type(record) == ns_t_srv && ns_rr_rdlen(record) > 6 &&
            ns_get16(ns_rr_rdata(record) + 4) == de_mail_port)
            return SrvAnswer::de_mail;
    }
    return ns_msg_getflag(message, ns_f_tc) != 0 ? SrvAnswer::failed : SrvAnswer::none;
}

SrvAnswer ask_srv(const std::string &domain) {
    struct __res_state state {};
    if (::res_ninit(&state) != 0) return SrvAnswer::failed;
    const std::unique_ptr<struct __res_state, void (*)(struct __res_state *)> closing(
        &state, [](struct __res_state *opened) { ::res_nclose(opened); });
    state.retrans = 2;
    state.retry = 1;
    std::array<unsigned char, NS_PACKETSZ> question{};
    std::array<unsigned char, 4096> answer{};
    const std::string name = "_smtp._tcp." + domain;
    const int asked =
        ::res_nmkquery(&state, ns_o_query, name.c_str(), ns_c_in, ns_t_srv, nullptr, 0, nullptr,
                       question.data(), static_cast<int>(question.size()));
    if (asked < 0) return SrvAnswer::failed;
    const int length =
        ::res_nsend(&state, question.data(), asked, answer.data(), static_cast<int>(answer.size()));
    if (length < 0) return errno == ETIMEDOUT ? SrvAnswer::timeout : SrvAnswer::failed;
    if (length > static_cast<int>(answer.size())) return SrvAnswer::failed;
    return read_srv(
        {reinterpret_cast<const char *>(answer.data()), static_cast<std::size_t>(length)});
}

} // namespace demail::dns
