// SPDX-License-Identifier: Apache-2.0
#include "report.hpp"

#include <sstream>

namespace crosswire::bench {

std::string to_json(const Outcome& outcome, const Histogram& latencies) {
  std::ostringstream text;
  text.precision(9);
  text << "{\"seconds\":" << outcome.seconds << ",\"sent\":" << outcome.tally.sent
       << ",\"received\":" << outcome.tally.received << ",\"bytes\":" << outcome.tally.bytes
       << ",\"lost\":" << outcome.tally.lost << ",\"misplaced\":" << outcome.tally.misplaced
       << ",\"corrupt\":" << outcome.tally.corrupt << ",\"due\":" << outcome.due << ",\"backlog\":" << outcome.backlog
       << ",\"idle\":" << outcome.idle << ",\"cpu\":" << outcome.cpu << ",\"latencies\":[";
  const char* separator = "";
  for (size_t i = 0; i < Histogram::buckets; i++) {
    if (latencies.count(i) == 0) continue;
    text << separator << '[' << Histogram::lowest(i) << ',' << latencies.count(i) << ']';
    separator = ",";
  }
  text << "]}";
  return text.str();
}

std::string error_json(const std::string& problem) {
  std::string text = "{\"error\":\"";
  for (const char c : problem) {
    if (c == '"' || c == '\\') text += '\\';
    text += static_cast<unsigned char>(c) < ' ' ? ' ' : c;
  }
  return text + "\"}";
}

}  // namespace crosswire::bench
