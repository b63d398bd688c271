// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/link.hpp"
#include "link/memif/attachment.hpp"
#include "link/memif/service.hpp"

namespace crosswire::memif {

// A link to a process that speaks memif 2.0, as server or client.
class MemifLink final : public Link {
 public:
  MemifLink(Options options, Service& service);
  ~MemifLink() override { close(); }

  const LinkFacts& facts() const noexcept override { return facts_; }
  LinkState state() const override { return attachment_.state(); }

  // Errors: MEMIF_OPTION, MEMIF_ID_TAKEN, SOCKET_PATH, SOCKET_BUSY, SOCKET_FAILED, NAMESPACE_*.
  Result<> open() override;
  void close() noexcept override;

  void receive(Burst& burst) noexcept override;
  void release() noexcept override;
  Transmitted transmit(const Burst& burst, uint32_t first, uint32_t count) noexcept override;

  int poll_fd() const noexcept override { return poll_.get(); }
  bool arm() noexcept override;
  void disarm() noexcept override;

 private:
  void look_for_session() noexcept;
  void adopt(Session& session) noexcept;
  void give_back() noexcept;
  void end_if_violated() noexcept;

  LinkFacts facts_;
  Service& service_;
  Attachment attachment_;
  bool attached_ = false;
  os::Fd poll_;  // epoll of the handover's wake_fd and the session's events: one descriptor across all sessions

  // The worker's.
  Session* session_ = nullptr;
  bool lending_ = false;  // views of the session's memory are lent
  bool armed_ = false;
  uint32_t empty_wakeups_ = 0;
};

}  // namespace crosswire::memif
