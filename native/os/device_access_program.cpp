// SPDX-License-Identifier: Apache-2.0
// Version 2: programs; access needs the consent of all that are in force. Container runtimes and systemd attach one
// program to a group; ours replaces it and contains it (device_program.hpp). A group without programs refuses nothing.
#include <algorithm>
#include <cstring>
#include <set>

#include "os/cgroup_programs.hpp"
#include "os/device_access_by_version.hpp"

namespace crosswire::os {

namespace {

using Nodes = std::set<DeviceNode>;

// A program of the group, with the opening in front of it, if any.
struct Filter {
  LoadedProgram loaded;
  Nodes opened;
  OriginalProgram original;
};

struct Filters {
  uint32_t flags = 0;
  std::vector<Filter> all;
};

Result<Filter> read_filter(uint32_t id, const std::string& path) {
  auto loaded = read_program(id, path);
  if (!loaded) return loaded.error();
  Filter filter{std::move(loaded).value(), {}, {}};
  if (auto split = split_opening(filter.loaded.instructions)) {
    filter.opened = Nodes(split->nodes.begin(), split->nodes.end());
    filter.original = std::move(split->original);
  } else {
    filter.original = {id, filter.loaded.name, filter.loaded.instructions};
  }
  return filter;
}

Result<Filters> read_filters(const ControlGroup& group) {
  const auto attached = attached_programs(group.directory.get(), Attached::here, group.path);
  if (!attached) return attached.error();
  Filters filters{attached.value().flags, {}};
  for (const auto id : attached.value().ids) {
    auto filter = read_filter(id, group.path);
    if (!filter) return filter.error();
    filters.all.push_back(std::move(filter).value());
  }
  return filters;
}

// The group above that the program is attached to; empty where it cannot be seen from here.
std::string group_of(uint32_t id, std::string path) {
  while (path.rfind('/') > 0 && path.rfind('/') != path.npos) {
    path.resize(path.rfind('/'));
    const auto group = open_control_group(path);
    if (!group || group.value().version != 2) break;
    const auto attached = attached_programs(group.value().directory.get(), Attached::here, path);
    if (attached && std::ranges::count(attached.value().ids, id) != 0) return path;
  }
  return "a group above what can be seen from here";
}

// What a group above refuses is refused to all groups below it. To allow it there would allow it to other workloads,
// too.
Result<> ask_above(const ControlGroup& group, const Filters& filters, const std::vector<DeviceNode>& nodes) {
  auto in_force = attached_programs(group.directory.get(), Attached::in_force, group.path);
  if (!in_force) return std::move(in_force).error();
  auto& ids = in_force.value().ids;
  for (const auto& filter : filters.all) {
    if (const auto own = std::ranges::find(ids, filter.loaded.id); own != ids.end()) ids.erase(own);
  }
  for (const auto id : ids) {
    const auto program = read_program(id, group.path);
    if (!program) return program.error();
    for (const auto& node : nodes) {
      const auto allowed = allows_all(program.value().instructions, node);
      if (allowed && *allowed) continue;
      return Error{"DEVICE_REFUSED_ABOVE", "allow " + to_string(node) + " in " + group.path, group_of(id, group.path),
                   "program " + std::to_string(id) + " of this group above " +
                       (allowed ? "refuses it" : "cannot be understood, and may refuse it") + ", and so to all below",
                   0};
    }
  }
  return Done{};
}

Nodes nodes_of(const GrantRecords& records) {
  Nodes nodes;
  for (const auto& [holder, rules] : records) {
    for (const auto& rule : rules) nodes.insert({*rule.major, *rule.minor});
  }
  return nodes;
}

Nodes refused_by(const Filter& filter, const Nodes& nodes) {
  Nodes refused;
  for (const auto& node : nodes) {
    if (!allows_all(filter.original.instructions, node).value_or(false)) refused.insert(node);
  }
  return refused;
}

// The original program, if somebody still holds it (systemd and crun do, and recognise it by its id); otherwise a new
// one with the same instructions and name.
Result<Fd> load_original(const OriginalProgram& original, const std::string& path) {
  auto kept = read_program(original.id, path);
  const auto is_same = [&](const bpf_insn& a, const bpf_insn& b) { return std::memcmp(&a, &b, sizeof a) == 0; };
  if (kept && std::ranges::equal(kept.value().instructions, original.instructions, is_same)) {
    return std::move(kept.value().fd);
  }
  return load_program(original.instructions, original.name, path);
}

Result<Fd> load_opened(const Filter& filter, const Nodes& nodes, const std::string& path) {
  if (nodes.empty()) return load_original(filter.original, path);
  if (!can_be_loaded_again(filter.original.instructions)) {
    return Error{"DEVICE_PROGRAM_OPAQUE", "open devices in a control group", path,
                 "its program " + std::to_string(filter.original.id) + " " + filter.original.name +
                     " uses maps or calls, which the kernel does not show; no container runtime makes such a one",
                 0};
  }
  return load_program(with_opening({{nodes.begin(), nodes.end()}, filter.original}), "crosswire_dev", path);
}

// Makes the group's programs open exactly these nodes. On failure, replaced programs are put back.
Result<> open_nodes(const ControlGroup& group, const Filters& filters, const Nodes& nodes) {
  const int directory = group.directory.get();
  std::vector<std::pair<const Fd*, Fd>> replaced;
  Result<> done = Done{};
  for (const auto& filter : filters.all) {
    const auto wanted = refused_by(filter, nodes);
    if (wanted == filter.opened) continue;
    auto program = load_opened(filter, wanted, group.path);
    done = program ? replace_program(directory, filters.flags, filter.loaded.fd, program.value(), group.path)
                   : Result<>(std::move(program).error());
    if (!done) break;
    replaced.emplace_back(&filter.loaded.fd, std::move(program).value());
  }
  if (!done) {
    for (const auto& [old, now] : replaced) (void)replace_program(directory, filters.flags, now, *old, group.path);
  }
  return done;
}

}  // namespace

Result<DeviceAccess> grant_by_program(const ControlGroup& group, const GrantRecords& records, const std::string& holder,
                                      const std::vector<DeviceNode>& nodes) {
  const auto filters = read_filters(group);
  if (!filters) return filters.error();
  if (auto above = ask_above(group, filters.value(), nodes); !above) return std::move(above).error();
  Nodes opened;
  for (const auto& filter : filters.value().all) opened.merge(refused_by(filter, Nodes(nodes.begin(), nodes.end())));
  DeviceAccess access{2, {opened.begin(), opened.end()}};
  if (opened.empty()) return access;

  auto wanted = records;
  auto& record = wanted[holder];
  const auto held = record;
  for (const auto& node : opened) {
    if (std::ranges::none_of(held, [&](const DeviceRule& rule) { return rule.names(node); })) {
      record.push_back(rule_of(node, access_all));
    }
  }
  access.changed = record.size() != held.size();
  auto done = write_grant_record(group.directory.get(), group.path, holder, record);
  if (done) done = open_nodes(group, filters.value(), nodes_of(wanted));
  if (done) return access;
  (void)write_grant_record(group.directory.get(), group.path, holder, held);
  return std::move(done).error();
}

Result<> withdraw_from_program(const ControlGroup& group, const GrantRecords& records, const std::string& holder) {
  const auto filters = read_filters(group);
  if (!filters) return filters.error();
  auto rest = records;
  rest.erase(holder);
  return open_nodes(group, filters.value(), nodes_of(rest));
}

}  // namespace crosswire::os
