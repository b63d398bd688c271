// SPDX-License-Identifier: Apache-2.0
#include "command.hpp"

#include <cstdlib>
#include <sstream>

#include "pattern.hpp"

namespace crosswire::bench {
namespace {

// Simple IMIX: seven small, four middling, one large.
const std::vector<uint32_t> imix = {64, 570, 64, 64, 570, 64, 1518, 64, 570, 64, 570, 64};

bool within(double value, double least, double most) { return value >= least && value <= most; }

bool set(Trial& trial, const std::string& name, const std::string& text, uint32_t buffer_size) {
  if (name == "size" && text == "imix") {
    trial.sizes = imix;
    return buffer_size >= 1518;
  }
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  if (text.empty() || *end != '\0') return false;
  if (name == "size") {
    trial.sizes = {static_cast<uint32_t>(value)};
    return within(value, least_frame, std::min(most_frame, buffer_size));
  }
  if (name == "window") {
    trial.window = static_cast<uint32_t>(value);
    return within(value, 1, 16384);
  }
  if (name == "burst") {
    trial.burst = static_cast<uint32_t>(value);
    return within(value, 1, most_burst);
  }
  if (name == "rate") {
    trial.rate = value;
    return within(value, 1, 1e9);
  }
  if (name == "warm-up") {
    trial.warm_up = value;
    return within(value, 0, 10);
  }
  if (name == "seconds") {
    trial.seconds = value;
    return within(value, 0.01, 60);
  }
  if (name == "pause") {
    trial.pause = value;
    return within(value, 0, 1);
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
    if (equals == std::string::npos || !set(trial, word.substr(0, equals), word.substr(equals + 1), buffer_size)) {
      problem = "unknown or out of bounds: " + word;
      return false;
    }
  }
  if (trial.mode == Mode::open && trial.rate == 0) {
    problem = "mode open needs rate=FRAMES";
    return false;
  }
  return true;
}

}  // namespace crosswire::bench
