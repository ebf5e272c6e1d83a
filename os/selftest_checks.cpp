// rw, eperm, oversize: what one enrolled device may do, and what it may not.
#include "core/limits.h"
#include "os/entropy.h"
#include "os/selftest_calls.h"

namespace statefs::selftest {
namespace {

Bytes random_value(std::size_t size) {
  Bytes value(size);
  fill_random(value);
  return value;
}

}  // namespace

Verdict check_rw(const Subject& subject) {
  Calls calls(subject);
  const std::string key = key_of("rw");
  const Bytes value = random_value(512);
  const auto* put = calls.ask<MutationResponse>(put_of(key, value), "PUT");
  if (put == nullptr) return calls.verdict();
  const std::uint64_t revision = put->revision;
  if (revision == 0 || put->index == 0) calls.fail(Kind::operation, "PUT: answered without a revision or an audit record");
  calls.expect_value(key, value, revision);
  calls.expect_listed(key, revision, value.size());
  if (!calls.failed()) {
    const auto* sync = calls.ask<SyncResponse>(SyncRequest{calls.stream().server_hello()->epoch}, "SYNC");
    if (sync != nullptr && sync->durable_index == 0) calls.fail(Kind::operation, "SYNC: nothing is durable");
  }
  calls.expect(delete_of(key), "DELETE", Status::ok);
  calls.expect_absent(key);
  return calls.verdict();
}

Verdict check_eperm(const Subject& subject) {
  Calls calls(subject);
  const Bytes value = random_value(16);
  for (const std::string_view key : {"/state/keystore/device", "/state/boot/slot", "/state/sharedx", "/state/shared"}) {
    for (int attempt = 0; attempt < 2; ++attempt) {
      calls.expect(put_of(key, value), "PUT " + std::string(key), Status::access_denied, Kind::policy);
      calls.expect(get_of(key), "GET " + std::string(key), Status::access_denied, Kind::policy);
      calls.expect(delete_of(key), "DELETE " + std::string(key), Status::access_denied, Kind::policy);
    }
  }
  ListRequest list;
  list.prefix = as_bytes(std::string_view("/state/"));
  calls.expect(list, "LIST /state/", Status::access_denied, Kind::policy);
  // Nothing is resolved: a way out of the grant is no key. Nor is one that would end a line of the audit.
  calls.expect(put_of("/state/shared/../boot/slot", value), "PUT with ..", Status::invalid_key, Kind::policy);
  calls.expect(put_of("/state/shared/x\nSELFTEST: remote statefs chunks ok", value), "PUT with a newline", Status::invalid_key, Kind::policy);
  return calls.verdict();
}

Verdict check_oversize(const Subject& subject) {
  Calls calls(subject);
  const std::string key = key_of("oversize");
  const Bytes value = random_value(limits::value_size_max + 1);
  calls.expect(put_of(key, value), "PUT of 64 KiB and a byte", Status::value_too_large, Kind::policy);
  calls.expect_absent(key, Kind::policy);
  std::string long_key = key_of("");
  long_key.resize(limits::key_size_max + 1, 'k');
  const ByteView largest = ByteView(value).first(limits::value_size_max);
  calls.expect(put_of(long_key, largest), "PUT with a key of 256 bytes", Status::key_too_long, Kind::policy);
  long_key.pop_back();
  for (const std::string& within : {key, long_key}) {
    const auto* put = calls.ask<MutationResponse>(put_of(within, largest), "PUT of the largest value");
    if (put == nullptr) break;
    calls.expect_value(within, largest, put->revision);
    calls.expect(delete_of(within), "DELETE", Status::ok);
    calls.expect_absent(within);
  }
  return calls.verdict();
}

}  // namespace statefs::selftest
