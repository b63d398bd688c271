// SPDX-License-Identifier: Apache-2.0
#include "options.hpp"

#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace crosswire::bench {
namespace {

constexpr auto usage =
    "usage: bench_generator --pair=SOCKET:ID,SOCKET:ID… [--cpu=N] [--ring-log=N] [--buffer-size=BYTES] [--zero-copy]\n"
    "       bench_generator --loop=SOCKET …      the generator against itself";

unsigned number(const std::string& text) {
  char* end = nullptr;
  const unsigned long value = std::strtoul(text.c_str(), &end, 10);
  if (text.empty() || *end != '\0' || value > 65535) fail("not a number from 0 to 65535: " + text);
  return static_cast<unsigned>(value);
}

Attachment attachment(const std::string& text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string::npos) fail("not SOCKET:ID: " + text);
  return {text.substr(0, colon), number(text.substr(colon + 1))};
}

Pair pair(const std::string& text) {
  const size_t comma = text.find(',');
  if (comma == std::string::npos) fail("not SOCKET:ID,SOCKET:ID: " + text);
  return {attachment(text.substr(0, comma)), attachment(text.substr(comma + 1))};
}

}  // namespace

void fail(const std::string& message) {
  std::fprintf(stderr, "bench_generator: %s\n", message.c_str());
  std::exit(1);
}

Options parse_options(int count, char** arguments) {
  Options options;
  for (int i = 1; i < count; i++) {
    const std::string argument = arguments[i];
    const size_t equals = argument.find('=');
    const std::string name = argument.substr(0, equals);
    const std::string value = equals == std::string::npos ? "" : argument.substr(equals + 1);
    if (name == "--pair") {
      options.pairs.push_back(pair(value));
    } else if (name == "--loop") {
      options.loop = true;
      options.pairs = {{{value, 0}, {value, 0}}};
    } else if (name == "--cpu") {
      options.cpu = number(value);
    } else if (name == "--ring-log") {
      options.ring_log = number(value);
    } else if (name == "--buffer-size") {
      options.buffer_size = number(value);
    } else if (name == "--zero-copy") {
      options.zero_copy = true;
    } else {
      fail("unknown option " + argument + "\n" + usage);
    }
  }
  if (options.pairs.empty()) fail(usage);
  if (options.pairs.size() > 15) fail("at most 15 pairs: DPDK has room for 32 ports");
  return options;
}

}  // namespace crosswire::bench
