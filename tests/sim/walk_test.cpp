// The promises of the first whole system, each in a world of two nodes or a few, over the real channel.
#include <gtest/gtest.h>

#include <map>

#include "tests/sim/trial.h"

namespace statefs::sim {
namespace {

const std::string root = "/state/shared/";

Faults torn() {
  Faults faults;
  faults.stream = {3'000, {1, 2, 3, 4}, {1, 2}, {1, 8}, {1, 2}, {}, {}};
  faults.link.jitter = milliseconds(3);
  return faults;
}

TEST(Walk, ReadsBackInsideThePrefixWhatWasWritten) {
  Trial trial(1, torn());
  std::string every_byte;
  for (int byte = 0; byte < 256; ++byte) every_byte += static_cast<char>(byte);
  std::map<std::string, std::string> written{{root + "a", "one"}, {root + "empty", ""}, {root + "dir/bytes", every_byte},
                                             {root + "full", std::string(limits::value_size_max, 'x')}};
  for (const auto& [key, value] : written) EXPECT_EQ(trial.put(key, value).response.status, Status::ok) << key;
  for (const auto& [key, value] : written) {
    const Completion got = trial.get(key);
    EXPECT_EQ(got.response.status, Status::ok) << key;
    EXPECT_EQ(value_of(got), value) << key;
  }
  const Completion page = trial.list(root);
  ASSERT_EQ(page.response.status, Status::ok);
  auto expected = written.begin();
  const auto& entries = std::get<ListResponse>(page.response.body).entries;
  ASSERT_EQ(entries.size(), written.size());
  for (const ListEntry& entry : entries) {
    EXPECT_EQ(as_text(entry.key), expected->first);
    EXPECT_EQ(entry.size, expected->second.size());
    ++expected;
  }
  EXPECT_EQ(trial.del(root + "a").response.status, Status::ok);
  EXPECT_EQ(trial.get(root + "a").response.status, Status::not_found);
}

// What one refusal looked like, without what differs from one record to the next.
struct Refusal {
  Status status = Status::ok;
  std::size_t size = 0;
  friend bool operator==(const Refusal&, const Refusal&) = default;
};

TEST(Walk, AnswersAccessDeniedOutsideThePrefixTheSameOnEveryRetry) {
  Trial trial(2, torn());
  ASSERT_EQ(trial.put(root + "a", "one").response.status, Status::ok);
  const std::vector<std::string> outside{"/state/other/a", "/state/shared", "/state/sharedx/a", "/state/keystore/a", "/state/boot/a", "/a"};
  std::map<std::string, std::vector<Refusal>> seen;
  const int tries = 4;
  for (int attempt = 0; attempt < tries; ++attempt) {
    for (const std::string& key : outside) {
      for (const Completion& answer : {trial.put(key, "no"), trial.get(key), trial.del(key), trial.list(key + "/")}) {
        if (key == "/state/shared" && answer.response.op == static_cast<std::uint8_t>(Op::list)) continue;  // `/state/shared/` is granted
        EXPECT_EQ(answer.result, CallResult::answered);
        EXPECT_EQ(answer.response.status, Status::access_denied) << key;
        seen[key + " " + std::to_string(answer.response.op)].push_back({answer.response.status, answer.bytes.size()});
      }
    }
    // Neither the connection nor what exists changes a verdict.
    if (attempt == 1) trial.driver.break_stream();
    if (attempt == 2) {
      ASSERT_EQ(trial.del(root + "a").response.status, Status::ok);
    }
  }
  EXPECT_GE(seen.size(), 4 * outside.size() - 1);
  for (const auto& [what, refusals] : seen) {
    EXPECT_EQ(refusals.size(), static_cast<std::size_t>(tries)) << what;
    for (const Refusal& each : refusals) EXPECT_EQ(each, refusals.front()) << what;
  }
  for (const AuditRecord& record : trial.records(AuditKind::mutation)) {
    EXPECT_EQ(record.allowed, record.key == root + "a");
  }
}

TEST(Walk, RefusesToEscapeThePrefix) {
  Trial trial;
  const std::vector<std::string> escapes{
      root + "../boot/a", root + "..", root + "./../boot/a", root + "a/../../boot/a", root + "/etc", root + "a//../b", "/state/shared/../shared/a",
      "/state/./shared/a", "//state/shared/a", "state/shared/a", root + "..\\boot", root + std::string("a\0b", 3), root + "%2e%2e/boot\n",
      root + "\xc0\xae\xc0\xae/boot", root + "\xe2\x80\xae" "a", root};
  for (const std::string& key : escapes) {
    EXPECT_EQ(trial.put(key, "no").response.status, Status::invalid_key) << printable(key);
    EXPECT_EQ(trial.get(key).response.status, Status::invalid_key) << printable(key);
    EXPECT_EQ(trial.del(key).response.status, Status::invalid_key) << printable(key);
  }
  for (const std::string& prefix : {root + "../", root + "../boot/", root + "/", std::string("/state/shared/./"), std::string("//")}) {
    EXPECT_EQ(trial.list(prefix).response.status, Status::invalid_key) << printable(prefix);
  }
  EXPECT_FALSE(trial.server.store().next("", true).has_value()) << "something was stored";
}

TEST(Walk, RecordsEachPutAndDeleteOnceWithPeerKeyAndStatus) {
  Trial trial(3, torn());
  struct Expected {
    Op op;
    std::string key;
    Status status;
  };
  const std::string long_key = root + std::string(limits::key_size_max, 'k');
  const std::vector<Expected> calls{
      {Op::put, root + "a", Status::ok},          {Op::put, root + "a", Status::ok},          {Op::put, "/state/other", Status::access_denied},
      {Op::del, "/state/other", Status::access_denied}, {Op::put, root + "../x", Status::invalid_key}, {Op::del, "", Status::invalid_key},
      {Op::put, long_key, Status::key_too_long},  {Op::del, root + "a", Status::ok},          {Op::del, root + "a", Status::not_found},
      {Op::put, root + "line\n", Status::invalid_key}};
  std::vector<std::uint64_t> indices;
  for (const Expected& call : calls) {
    const Completion answer = call.op == Op::put ? trial.put(call.key, "value") : trial.del(call.key);
    EXPECT_EQ(answer.response.status, call.status) << printable(call.key);
    indices.push_back(std::get<MutationResponse>(answer.response.body).index);
    // Reads in between leave no such record.
    EXPECT_EQ(trial.get(root + "b").response.status, Status::not_found);
    EXPECT_EQ(trial.get("/state/other").response.status, Status::access_denied);
  }
  const std::vector<AuditRecord> records = trial.records(AuditKind::mutation);
  ASSERT_EQ(records.size(), calls.size());
  for (std::size_t i = 0; i < calls.size(); ++i) {
    EXPECT_EQ(records[i].op, static_cast<std::uint8_t>(calls[i].op));
    EXPECT_EQ(records[i].key, calls[i].key.substr(0, limits::key_size_max));
    EXPECT_EQ(records[i].key_size, calls[i].key.size());
    EXPECT_EQ(records[i].status, calls[i].status);
    EXPECT_EQ(records[i].peer.kind, PeerKind::remote);
    EXPECT_EQ(records[i].peer.key, trial.world.public_key_of(1));
    EXPECT_EQ(records[i].peer.alias, World::alias_of(1));
    EXPECT_EQ(records[i].index, indices[i]) << "the answer names another record";
    EXPECT_EQ(records[i].count, 1u);
  }
}

}  // namespace
}  // namespace statefs::sim
