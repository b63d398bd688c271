// SPDX-License-Identifier: Apache-2.0
#include "os/netlink_verdict.hpp"

#include <cerrno>

#include "os/error.hpp"

namespace crosswire::os {

namespace {

std::string errno_text(int errno_value) { return system_error("", "", "", errno_value).reason; }

// Where the attributes of an extended acknowledgement begin (struct nlmsgerr in linux/netlink.h): in a DONE, after the
// error code; in an ERROR, after the header of the request and, unless it was capped, its payload.
size_t offset_of_details(const nlmsghdr* answer) {
  if (answer->nlmsg_type == NLMSG_DONE) return sizeof(int);
  size_t offset = sizeof(nlmsgerr);
  if ((answer->nlmsg_flags & NLM_F_CAPPED) == 0) {
    const auto* error = reinterpret_cast<const nlmsgerr*>(payload_of(answer));
    offset += NLMSG_ALIGN(error->msg.nlmsg_len - NLMSG_HDRLEN);
  }
  return offset;
}

// "attribute 4 of the request", from the offset that the kernel gives.
std::string name_attribute(const nlmsghdr* request, uint32_t offset) {
  if (offset + sizeof(nlattr) > request->nlmsg_len) return {};
  const auto* attribute = reinterpret_cast<const nlattr*>(reinterpret_cast<const char*>(request) + offset);
  return "attribute " + std::to_string(type_of(attribute)) + " of the request";
}

std::string details_of(const nlmsghdr* answer, const nlmsghdr* request) {
  const size_t offset = offset_of_details(answer);
  if ((answer->nlmsg_flags & NLM_F_ACK_TLVS) == 0 || offset > payload_size(answer)) return {};
  const Attributes details(answer, offset);
  auto text = details.text(NLMSGERR_ATTR_MSG);
  if (!text.empty()) return text;
  const auto attribute = details.u32(NLMSGERR_ATTR_OFFS);
  return attribute ? name_attribute(request, *attribute) : std::string();
}

}  // namespace

Verdict verdict_of_errno(int errno_value) { return {errno_value, errno_value == 0 ? "" : errno_text(errno_value)}; }

Verdict verdict_of(const nlmsghdr* answer, const nlmsghdr* request) {
  const size_t needed = answer->nlmsg_type == NLMSG_DONE ? sizeof(int) : sizeof(nlmsgerr);
  if (payload_size(answer) < needed) return verdict_of_errno(EBADMSG);
  // The error code comes first in both, negative.
  const int errno_value = -*reinterpret_cast<const int*>(payload_of(answer));
  auto verdict = verdict_of_errno(errno_value);
  if (verdict.accepted()) return verdict;
  const auto details = details_of(answer, request);
  if (!details.empty()) verdict.text = details + " (" + verdict.text + ")";
  return verdict;
}

}  // namespace crosswire::os
