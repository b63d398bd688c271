// SPDX-License-Identifier: Apache-2.0
#include "options.hpp"

#include <cstdio>
#include <cstdlib>

namespace crosswire::bench {
namespace {

constexpr size_t most_pairs = 15;

constexpr auto usage =
    "usage: bench_generator --pair=SOCKET:ID,SOCKET:ID… [--cpu=N] [--ring-log=N] [--buffer-size=BYTES] [--zero-copy]\n"
    "       bench_generator --loop=SOCKET …      the generator against itself";

bool parse(const std::string& text, unsigned& number) {
  char* end = nullptr;
  const unsigned long value = std::strtoul(text.c_str(), &end, 10);
  if (text.empty() || text[0] == '-' || *end != '\0' || value > 65535) return false;
  number = static_cast<unsigned>(value);
  return true;
}

bool parse(const std::string& text, Attachment& attachment) {
  const size_t colon = text.rfind(':');
  if (colon == std::string::npos || colon == 0) return false;
  attachment.socket = text.substr(0, colon);
  return parse(text.substr(colon + 1), attachment.id);
}

bool parse(const std::string& text, Pair& pair) {
  const size_t comma = text.find(',');
  return comma != std::string::npos && parse(text.substr(0, comma), pair.from) &&
         parse(text.substr(comma + 1), pair.to);
}

bool set(Options& options, const std::string& name, const std::string& value) {
  if (name == "--pair") return parse(value, options.pairs.emplace_back());
  if (name == "--loop") {
    options.loop = true;
    options.pairs = {{{value, 0}, {value, 0}}};
    return !value.empty();
  }
  if (name == "--cpu") return parse(value, options.cpu);
  if (name == "--ring-log") return parse(value, options.ring_log) && options.ring_log <= 14;
  if (name == "--buffer-size") return parse(value, options.buffer_size) && options.buffer_size >= 64;
  options.zero_copy = name == "--zero-copy";
  return options.zero_copy && value.empty();
}

}  // namespace

void fail(const std::string& message) {
  std::fprintf(stderr, "bench_generator: %s\n", message.c_str());
  std::exit(1);
}

bool parse_options(const std::vector<std::string>& arguments, Options& options, std::string& problem) {
  for (const std::string& argument : arguments) {
    const size_t equals = argument.find('=');
    const std::string value = equals == std::string::npos ? "" : argument.substr(equals + 1);
    if (set(options, argument.substr(0, equals), value)) continue;
    problem = "unknown or out of bounds: " + argument + "\n" + usage;
    return false;
  }
  if (options.pairs.empty()) problem = usage;
  if (options.pairs.size() > most_pairs) problem = "at most 15 pairs: DPDK has room for 32 ports";
  return problem.empty();
}

}  // namespace crosswire::bench
