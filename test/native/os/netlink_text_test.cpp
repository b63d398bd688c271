// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>
#include <linux/rtnetlink.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "os/address.hpp"
#include "os/netlink_verdict.hpp"

using namespace crosswire::os;

namespace {

IpPrefix prefix(const char* text) { return *parse_ip_prefix(text); }
IpAddress address(const char* text) { return *parse_ip_address(text); }

// An NLMSG_ERROR as the kernel would send it in answer to `request`.
class Answer {
 public:
  Answer(const nlmsghdr* request, int errno_value, bool capped) {
    message_ = begin_message(buffer_.data());
    message_->nlmsg_type = NLMSG_ERROR;
    message_->nlmsg_flags = static_cast<uint16_t>(NLM_F_ACK_TLVS | (capped ? NLM_F_CAPPED : 0));
    auto* error = reinterpret_cast<nlmsgerr*>(extend(message_, sizeof(nlmsgerr)));
    error->error = -errno_value;
    error->msg = *request;
    const size_t payload = request->nlmsg_len - sizeof(nlmsghdr);
    if (!capped) std::memcpy(extend(message_, payload), request + 1, payload);
  }
  nlmsghdr* message() { return message_; }
  void put(uint16_t type, const void* data, size_t size) { put_attribute(message_, buffer_.size(), type, data, size); }

 private:
  alignas(nlmsghdr) std::array<char, 1024> buffer_{};
  nlmsghdr* message_;
};

}  // namespace

TEST_CASE("addresses: text that is none is refused, text that is one survives") {
  for (const char* text : {"10.0.0.1/24", "fd09::1/64", "::/0", "0.0.0.0/0", "1.2.3.4/32"}) {
    CHECK(to_text(prefix(text)) == text);
  }
  CHECK(to_text(prefix("fd09::1")) == "fd09::1/128");
  for (const char* text :
       {"", "10.0.0.1/33", "fd09::/129", "10.0.0.1/", "10.0.0.1/2x", "10.0.0/8", "10.0.0.1/256", "x"}) {
    CHECK_FALSE(parse_ip_prefix(text).has_value());
  }
  for (const char* text : {"", "02:00:00:00:00", "02:00:00:00:00:0g", "02-00-00-00-00-01", "02:00:00:00:00:011"}) {
    CHECK_FALSE(parse_mac_address(text).has_value());
  }
  CHECK(to_text(MacAddress{2, 0, 0, 0, 0, 10}) == "02:00:00:00:00:0a");
  CHECK(to_text(network_of(prefix("10.8.255.1/17"))) == "10.8.128.0/17");
  CHECK(to_text(network_of(prefix("fd09:ffff::1/20"))) == "fd09:f000::/20");
  CHECK(is_link_local(address("fe80::1")));
  CHECK(is_link_local(address("febf::1")));
  CHECK_FALSE(is_link_local(address("fec0::1")));
}

TEST_CASE("the kernel's words come first, then errno's; without words, the attribute that was wrong") {
  NetlinkMessage request(RTM_NEWLINK, 0, ifinfomsg{});
  request.put_u32(IFLA_MTU, 1);
  const auto offset = static_cast<uint32_t>(request.header()->nlmsg_len - 8);
  for (const bool capped : {true, false}) {
    Answer with_text(request.header(), EINVAL, capped);
    with_text.put(NLMSGERR_ATTR_MSG, "too small", sizeof "too small");
    with_text.put(NLMSGERR_ATTR_OFFS, &offset, sizeof offset);
    CHECK(verdict_of(with_text.message(), request.header()).text == "too small (Invalid argument)");

    Answer with_offset(request.header(), EINVAL, capped);
    with_offset.put(NLMSGERR_ATTR_OFFS, &offset, sizeof offset);
    CHECK(verdict_of(with_offset.message(), request.header()).text == "attribute 4 of the request (Invalid argument)");

    Answer bare(request.header(), ENODEV, capped);
    CHECK(verdict_of(bare.message(), request.header()).text == "No such device");
    CHECK(verdict_of(Answer(request.header(), 0, capped).message(), request.header()).accepted());
  }
}

TEST_CASE("an acknowledgement that is shorter than it says is survived") {
  NetlinkMessage request(RTM_NEWLINK, 0, ifinfomsg{});
  Answer beyond(request.header(), EINVAL, true);
  const uint32_t far = 1U << 31;
  beyond.put(NLMSGERR_ATTR_OFFS, &far, sizeof far);
  CHECK(verdict_of(beyond.message(), request.header()).text == "Invalid argument");
  Answer torn(request.header(), EINVAL, true);
  torn.message()->nlmsg_flags = NLM_F_ACK_TLVS;  // says that the request follows, which it does not
  CHECK(verdict_of(torn.message(), request.header()).text == "Invalid argument");
  torn.message()->nlmsg_len = sizeof(nlmsghdr) + sizeof(int);
  CHECK(verdict_of(torn.message(), request.header()).errno_value == EBADMSG);
}

TEST_CASE("a text that is longer than a message is refused, not cut") {
  NetlinkMessage request(RTM_NEWLINK, 0, ifinfomsg{});
  request.put_text(IFLA_IFALIAS, std::string(4000, 'x'));
  CHECK(request.overflowed());
  auto socket = NetlinkSocket::open("");
  REQUIRE(socket.ok());
  CHECK(socket.value().request(request).errno_value == EMSGSIZE);
}
