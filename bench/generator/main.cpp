// SPDX-License-Identifier: Apache-2.0
// The traffic generator and sink of the bench: one process on one CPU that uses DPDK's memif. It connects to both ends
// of the wires, prints {"ready":true}, and then runs a trial for every line of standard input (command.hpp), answering
// each with one line of JSON. It ends with its input, or after an hour.
#include <signal.h>
#include <unistd.h>

#include <iostream>
#include <string>

#include "generator.hpp"
#include "report.hpp"

using namespace crosswire::bench;

int main(int count, char** arguments) {
  alarm(3600);
  Options options;
  std::string misfit;
  if (!parse_options({arguments + 1, arguments + count}, options, misfit)) fail(misfit);
  const Pattern pattern;
  const std::vector<PortPair> ports = open_ports(options);
  rte_mempool* pool = make_sending_pool(options, pattern);
  std::vector<Line> lines;
  for (size_t i = 0; i < ports.size(); i++)
    lines.emplace_back(ports[i], static_cast<uint16_t>(i), pattern, pool, options.zero_copy);
  Histogram latencies;
  Generator generator(lines, latencies);
  std::cout << "{\"ready\":true}" << std::endl;

  std::string line;
  while (std::getline(std::cin, line)) {
    Trial trial;
    std::string problem;
    if (parse_trial(line, options.buffer_size, trial, problem))
      std::cout << to_json(generator.run(trial), latencies) << std::endl;
    else
      std::cout << error_json(problem) << std::endl;
  }
}
