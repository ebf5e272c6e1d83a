// FIELDS: requests, responses and records as names and values, for somebody who reads a report.
//
//   request.h, response.h, audit.h -> FIELDS -> story.h
//
// Every value is printable ASCII, whatever bytes a peer put into a key, and short: what is cut says how long it was.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/audit.h"
#include "core/request.h"
#include "core/response.h"

namespace statefs::sim {

struct Field {
  std::string name;
  std::string value;
};
using Fields = std::vector<Field>;

// Printable ASCII as it is, every other byte and `\` as \xNN; of more than `size_max` bytes the first ones and the size.
[[nodiscard]] std::string shown(std::string_view bytes, std::size_t size_max = 300);
[[nodiscard]] std::string hex_of(ByteView bytes);

// `PUT`, ...; `op 99` for a number that is no op.
[[nodiscard]] std::string op_title(std::uint8_t op);

void add_fields(const FrameHeader& header, Fields& out);
void add_fields(const RequestBody& body, Fields& out);
void add_fields(const ResponseBody& body, Fields& out);
// `encoded` is the record's encoding, of which its hash is made.
void add_fields(const AuditRecord& record, ByteView encoded, Fields& out);

// The key or prefix that a request names; empty where it names none.
[[nodiscard]] std::string_view key_of(const RequestBody& body);

}  // namespace statefs::sim
