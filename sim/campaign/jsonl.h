// JSONL: a campaign as a file of lines, each one JSON object: one for each seed in the order of seeds, a summary last.
//
//   campaign.h -> JSONL -> a file (docs/SIMULATION.md has its fields)
//
// Each line is whole and flushed before the next seed is printed, so that what a killed campaign left can be read.
#pragma once

#include <string>

#include "sim/campaign/seed_result.h"
#include "sim/campaign/summary.h"

namespace statefs::sim {

// Both without their newline. Bytes that are not printable ASCII are written as \u00XX.
[[nodiscard]] std::string json_of(const SeedResult& result, bool with_marks);
[[nodiscard]] std::string json_of(const Summary& summary, bool with_marks);

}  // namespace statefs::sim
