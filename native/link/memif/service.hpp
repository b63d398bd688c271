// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <tuple>

#include "link/memif/connector.hpp"
#include "link/memif/doorbell.hpp"
#include "link/memif/listener.hpp"
#include "link/memif/proxy.hpp"
#include "os/control_loop.hpp"

namespace crosswire::memif {

// Shared by all memif links of a process: the control thread with every listener, connector and handshake, and the
// notifier. Owned by the binding; outlives its links. Its threads start with the first link.
class Service {
 public:
  explicit Service(Limits limits = {}) : limits_(limits) {}
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;
  ~Service();

  // Any thread except workers.
  Result<> attach(Attachment& attachment);
  void detach(Attachment& attachment) noexcept;  // only while no worker owns the link

  // The same for a proxy, which joins two applications. A closed proxy belongs to its caller again.
  Result<> open(Proxy& proxy);
  void close(Proxy& proxy) noexcept;

  // Workers.
  void session_returned() noexcept { loop_.wake(); }
  Notifier& notifier() noexcept { return notifier_; }

 private:
  // A path, or an abstract name within one network namespace (device and inode).
  using Address = std::tuple<std::string, uint64_t, uint64_t>;

  Result<> start();
  static Result<Address> address_of(const Options& options);
  Result<> attach_client(Attachment& attachment);
  Result<> attach_server(Attachment& attachment);
  void detach_server(Attachment& attachment);

  const Limits limits_;
  std::mutex start_mutex_;
  bool started_ = false;
  Notifier notifier_;
  os::ControlLoop loop_;

  // The control thread's.
  std::map<Address, std::unique_ptr<Listener>> listeners_;
  std::map<Attachment*, std::unique_ptr<Connector>> connectors_;
  std::map<Attachment*, Address> servers_;
};

}  // namespace crosswire::memif
