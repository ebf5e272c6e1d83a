#include "core/lookup.h"

#include <algorithm>
#include <string>
#include <utility>

#include "core/check.h"
#include "core/limits.h"

namespace statefs {

Status status_of(KeyError error) {
  switch (error) {
    case KeyError::invalid: return Status::invalid_key;
    case KeyError::too_long: return Status::key_too_long;
  }
  STATEFS_CHECK(false);
}

Status Lookup::get(const GetRequest& request, const Asker& who, Bytes& out) const {
  GetResponse answer;
  const auto key = CanonicalKey::from(request.key);
  Status status = Status::ok;
  if (!key.ok()) {
    status = status_of(key.error());
  } else if (!who.rules.check(key.value(), Access::get).allowed) {
    STATEFS_MARK("read.denied");
    status = Status::access_denied;
  }
  if (status != Status::ok) {
    tally_.count_refusal(who.peer, static_cast<std::uint8_t>(Op::get), status);
  } else if (store_.status().failed) {
    STATEFS_MARK("read.store_failed");
    status = Status::io_error;
  } else if (const auto stored = store_.find(key.value()); !stored) {
    status = Status::not_found;
  } else if (request.revision && *request.revision != stored->revision) {
    STATEFS_MARK("read.revision_changed");
    status = Status::revision_changed;
    answer.revision = stored->revision;
    answer.total_size = stored->value.size();
  } else {
    answer.revision = stored->revision;
    answer.total_size = stored->value.size();
    const std::uint64_t offset = std::min<std::uint64_t>(request.offset, stored->value.size());
    const std::uint64_t size = std::min<std::uint64_t>(stored->value.size() - offset,
                                                       std::min<std::uint64_t>(request.length, limits::value_size_max));
    if (size < stored->value.size()) STATEFS_MARK("read.part_of_value");
    answer.data = stored->value.subspan(static_cast<std::size_t>(offset), static_cast<std::size_t>(size));
  }
  encode_response(Response{who.id, static_cast<std::uint8_t>(Op::get), status, answer}, out);
  return status;
}

Status Lookup::list(const ListRequest& request, const Asker& who, Bytes& out) const {
  ListResponse page;
  const auto prefix = CanonicalPrefix::from(request.prefix);
  Status status = Status::ok;
  if (!prefix.ok()) {
    status = status_of(prefix.error());
  } else if (!who.rules.check(prefix.value(), Access::list).allowed) {
    STATEFS_MARK("read.denied");
    status = Status::access_denied;
  } else if (!request.cursor.empty()) {
    const auto cursor = CanonicalKey::from(request.cursor);
    if (!cursor.ok()) {
      status = status_of(cursor.error());
    } else if (!cursor.value().text().starts_with(prefix.value().text())) {
      status = Status::invalid_key;
    }
  }
  if (status != Status::ok) {
    tally_.count_refusal(who.peer, static_cast<std::uint8_t>(Op::list), status);
  } else if (store_.status().failed) {
    STATEFS_MARK("read.store_failed");
    status = Status::io_error;
  } else {
    collect(prefix.value(), as_text(request.cursor), request, who.rules, page);
  }
  encode_response(Response{who.id, static_cast<std::uint8_t>(Op::list), status, std::move(page)}, out);
  return status;
}

// Walks the entries that this peer may see. A denied subtree is sought past: its keys are never walked, so each step
// yields an entry or leaves one deny rule behind.
void Lookup::collect(const CanonicalPrefix& prefix, std::string_view after, const ListRequest& request, const RuleSet& rules,
                      ListResponse& page) const {
  constexpr std::size_t entry_overhead = 18;
  const std::size_t wanted = request.limit == 0 ? limits::list_entries_max
                                                : std::min<std::size_t>(request.limit, limits::list_entries_max);
  std::size_t size = 0;
  if (!after.empty()) STATEFS_MARK("read.list_continues");
  std::string seek(after.empty() ? prefix.text() : after);
  bool inclusive = false;
  while (const auto entry = store_.next(seek, inclusive)) {
    if (!entry->key.starts_with(prefix.text())) return;
    inclusive = false;
    const auto key = CanonicalKey::from(as_bytes(entry->key));
    STATEFS_CHECK(key.ok());
    const std::string_view denied = rules.denied_subtree_of(key.value(), Access::list);
    if (!denied.empty()) {
      STATEFS_MARK("read.list_seeks_past");
      seek.assign(denied);
      seek.back() = '/' + 1;  // the first byte string above every key of the subtree
      inclusive = true;
      continue;
    }
    if (page.entries.size() == wanted || size + entry_overhead + entry->key.size() > limits::list_page_size_max) {
      STATEFS_MARK("read.list_has_more");
      page.has_more = true;
      return;
    }
    size += entry_overhead + entry->key.size();
    page.entries.push_back({entry->revision, entry->size, as_bytes(entry->key)});
    seek.assign(entry->key);
  }
}

}  // namespace statefs
