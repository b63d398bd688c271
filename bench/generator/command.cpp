// SPDX-License-Identifier: Apache-2.0
#include "command.hpp"

#include <algorithm>
#include <cstdlib>
#include <sstream>

#include "pattern.hpp"

namespace crosswire::bench {
namespace {

// Simple IMIX: seven small, four medium and one large frame.
const std::vector<uint32_t> imix = {64, 570, 64, 64, 570, 64, 1518, 64, 570, 64, 570, 64};

struct Setting {
  const char* name;
  double least;
  double most;
  void (*apply)(Trial& trial, double value);
};

constexpr Setting settings[] = {
    {"size", least_frame, most_frame, [](Trial& trial, double value) { trial.sizes = {static_cast<uint32_t>(value)}; }},
    {"window", 1, 16384, [](Trial& trial, double value) { trial.window = static_cast<uint32_t>(value); }},
    {"burst", 1, most_burst, [](Trial& trial, double value) { trial.burst = static_cast<uint32_t>(value); }},
    {"rate", 1, 1e9, [](Trial& trial, double value) { trial.rate = value; }},
    {"warm-up", 0, 10, [](Trial& trial, double value) { trial.warm_up = value; }},
    {"seconds", 0.01, 60, [](Trial& trial, double value) { trial.seconds = value; }},
    {"pause", 0, 1, [](Trial& trial, double value) { trial.pause = value; }},
};

bool set(Trial& trial, const std::string& name, const std::string& text) {
  if (name == "size" && text == "imix") {
    trial.sizes = imix;
    return true;
  }
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  if (text.empty() || *end != '\0') return false;
  for (const Setting& setting : settings) {
    if (name != setting.name) continue;
    // NaN is within no bounds.
    if (!(value >= setting.least && value <= setting.most)) return false;
    setting.apply(trial, value);
    return true;
  }
  return false;
}

}  // namespace

bool parse_trial(const std::string& line, uint32_t buffer_size, Trial& trial, std::string& problem) {
  std::istringstream words(line);
  std::string mode, word;
  words >> mode;
  if (mode == "closed") {
    trial.mode = Mode::closed;
  } else if (mode == "open") {
    trial.mode = Mode::open;
  } else if (mode == "cold") {
    trial.mode = Mode::cold;
  } else {
    problem = "unknown mode '" + mode + "'; use closed, open or cold";
    return false;
  }
  while (words >> word) {
    const size_t equals = word.find('=');
    if (equals == std::string::npos || !set(trial, word.substr(0, equals), word.substr(equals + 1))) {
      problem = "unknown or out of bounds: " + word;
      return false;
    }
  }
  if (*std::max_element(trial.sizes.begin(), trial.sizes.end()) > buffer_size) {
    problem = "frames of that size do not fit into the slots";
    return false;
  }
  if (trial.mode == Mode::open && trial.rate == 0) {
    problem = "mode open needs rate=FRAMES";
    return false;
  }
  return true;
}

}  // namespace crosswire::bench
