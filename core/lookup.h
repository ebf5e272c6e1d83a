// LOOKUP: answers GET and LIST. The verdict comes first; a refused read is counted and never touches the store.
//
//   service.h -> LOOKUP -> key.h, policy.h -> store.h (reads) -> response.h
#pragma once

#include <cstdint>
#include <string_view>

#include "core/bytes.h"
#include "core/key.h"
#include "core/marks.h"
#include "core/policy.h"
#include "core/request.h"
#include "core/response.h"
#include "core/store.h"
#include "core/tally.h"

namespace statefs {

// What the wire says of bytes that are no key.
[[nodiscard]] Status status_of(KeyError error);

struct Asker {
  std::uint64_t id = 0;  // of the request
  const PeerRef& peer;
  const RuleSet& rules;
};

class Lookup {
 public:
  // All of it outlives the lookup.
  Lookup(Store& store, Tally& tally, Marks& marks) : store_(store), tally_(tally), marks_(marks) {}

  // Both append the response to `out` and return its status.
  Status get(const GetRequest& request, const Asker& who, Bytes& out) const;
  Status list(const ListRequest& request, const Asker& who, Bytes& out) const;

 private:
  void collect(const CanonicalPrefix& prefix, std::string_view after, const ListRequest& request, const RuleSet& rules,
               ListResponse& page) const;

  Store& store_;
  Tally& tally_;
  Marks& marks_;
};

}  // namespace statefs
