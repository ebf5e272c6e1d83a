// SPOKEN: one direction of a connection: all plaintext that was sealed for it, and when each record was sealed and opened.
//
//   crypto_watch.h (fills it) -> SPOKEN -> conversation.h, check_links.cpp
#pragma once

#include <vector>

#include "core/bytes.h"
#include "core/time.h"
#include "sim/trace.h"

namespace statefs::sim {

// Of one record: where its plaintext ends, and how many entries the trace had when it was sealed and when it was opened.
struct SpokenPart {
  std::size_t end = 0;
  Place sealed = 0;
  Time sealed_time;
  Place opened = no_place;
  Time opened_time;
};

struct SpokenLine {
  Bytes text;
  std::vector<SpokenPart> parts;
  std::size_t opened_count = 0;   // of parts
  SpokenLine* other = nullptr;    // of the same connection
  bool is_over = false;           // who would seal refused what came the other way

  [[nodiscard]] std::size_t begin_of(std::size_t part) const { return part == 0 ? 0 : parts[part - 1].end; }
  [[nodiscard]] bool is_keepalive(std::size_t part) const { return parts[part].end == begin_of(part); }
};

}  // namespace statefs::sim
