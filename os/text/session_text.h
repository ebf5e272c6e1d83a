// SESSION TEXT: the sessions that a store remembers, in lines for a person or as JSON.
//
//   core/slots.h -> SESSION TEXT -> dump_text.h, statefs session ls
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "core/slots.h"

namespace statefs {

// `none`, the digits of a public key, or `uid:N`.
[[nodiscard]] std::string name_of(const Owner& owner);
// Whether `wanted` names it: `uid:N`, or the first digits of its key, at least 8.
[[nodiscard]] bool is_named(const Owner& owner, std::string_view wanted);

// Views of one in a table.
struct SessionOf {
  const Owner& owner;
  const SlotSession& session;
  bool live = true;  // or it has ended, and OUTCOME can still be asked about it
};
// Each session of each peer, the live ones first; false where `visit` has said so.
[[nodiscard]] bool each_session(const SlotTable& slots, const std::function<bool(const SessionOf&)>& visit);

// A line, and one for each slot that was used.
[[nodiscard]] std::string session_text(const SessionOf& of);
[[nodiscard]] std::string session_json(const SessionOf& of);

}  // namespace statefs
