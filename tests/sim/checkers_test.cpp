// All checks together: silent on a true history, and each the only one to object to something.
#include "sim/checkers.h"

#include <map>
#include <set>

#include "tests/sim/objections.h"

namespace statefs::sim {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

void write_true_history(Forge& f) {
  f.context.policies.front().quota_keys = 2;
  const std::uint64_t a = f.did_put(1, "a", "one");
  const std::uint64_t b = f.did_put(2, "b", "two");
  f.answer_get(1, f.get(1, "a"), Status::ok, a, "one");
  f.answer_list(2, f.list(2, root), {{root + "a", a}, {root + "b", b}});
  f.flush();
  f.export_all();
  f.answer_sync(1, f.sync(1));
  f.did_del(1, "b");
  f.answer_get(2, f.get(2, "b"), Status::not_found, 0, "");
  const CallId refused = f.put(1, "/state/other/a", "no");
  f.answer_mutation(1, refused, Op::put, f.take_put(1, "/state/other/a", "no", Status::access_denied), Status::access_denied);
  f.take_count(1, AuditKind::refusals, Op::get, Status::access_denied);
  f.answer_get(1, f.get(1, "/state/other/a"), Status::access_denied, 0, "");
  const std::uint64_t kept = f.last();
  const CallId lost = f.put(2, "c", "gone");
  const std::uint64_t index = f.take_put(2, "c", "gone");
  f.answer_mutation(2, lost, Op::put, index);
  f.crash(kept);
  f.lost_write(2, lost, index);
  f.answer_get(1, f.get(1, "c"), Status::not_found, 0, "");
  f.retell = [&f](MutationResponse& answer) { answer.head = f.head(); };
  const CallId again = f.put(2, "c", "new");
  f.flush();
  const AuditHead head = f.head();
  const std::uint64_t c = f.take_put(2, "c", "new");
  f.retell = [head](MutationResponse& answer) { answer.head = head; };
  f.answer_mutation(2, again, Op::put, c);
  f.flush();
  f.export_all();
}

TEST(Checkers, FindNothingInATrueHistory) {
  accept("the true history", write_true_history);
  Forge forge;
  write_true_history(forge);
  // Of what this one has nothing.
  const std::set<std::string_view> unseen{"answers", "bounds", "channel", "counted", "links", "liveness", "rates", "staged", "waits"};
  for (const CheckResult& each : forge.judge()) {
    EXPECT_EQ(each.judged > 0, !unseen.contains(each.name)) << each.name;
  }
}

TEST(Checkers, AreEachTheOnlyOneToObjectToSomething) {
  const std::map<std::string, Write> wrong{
      {"completed", [](Forge& f) { f.get(1, "a"); }},
      {"recorded", twisted([](AuditRecord& r) { r.node.bytes[0] ^= 1; })},
      {"exactly_once", lost_then([](Forge& f, CallId, std::uint64_t) { f.did_put(1, "c", "3"); })},
      {"sessions", twisted([](AuditRecord& r) { r.at.sequence = 2; })},
      {"linearizable", [](Forge& f) { f.answer_get(1, f.get(1, "a"), Status::ok, 5, "one"); }},
      {"durability", [](Forge& f) {
         f.did_put(1, "a", "one");
         f.answer_sync(1, f.sync(1));
       }},
      {"audit", [](Forge& f) {
         const AuditHead head{f.head().index, Digest{}};
         f.retell = [head](MutationResponse& answer) { answer.head = head; };
         f.did_put(1, "a", "one");
       }},
      {"policy", [](Forge& f) { f.answer_get(1, f.get(1, "/state/other/a"), Status::not_found, 0, ""); }},
      {"quota", [](Forge& f) {
         f.context.servers[0].keys_max = 0;
         f.did_put(1, "a", "one");
       }},
      {"answers", [](Forge& f) {
         f.arrive(1);
         f.did_put(1, "a", "one");
       }},
      {"staged", [](Forge& f) {
         f.arrive(1);
         const std::string key = "/state/shared/a";
         f.reply(f.ask(1, StageRequest{1, 6, 0, as_bytes(key), 3, as_bytes("abc")}), Status::ok, StageResponse{2, 0});
       }},
      {"counted", [](Forge& f) {
         f.arrive(1);
         f.arrivals.back().refused = f.arrivals.back().at;
       }},
      {"links", [](Forge& f) {
         static SpokenLine said, read;
         said = {{}, {{0, 0, {}, 0, {}}}, 1, nullptr, false};
         read = {{}, {{0, 0, {}, 0, Time{} + seconds(1'000)}}, 1, nullptr, false};
         f.context.links.keepalive_interval = f.context.links.connection_age_max = seconds(1);
         f.arrive(1);
         f.arrivals.back().requests = &read;
         f.arrivals.back().answers = &said;
       }},
      {"waits", [](Forge& f) {
         f.context.links.backoff_min = milliseconds(50);
         f.context.links.backoff_max = seconds(10);
         f.waits = {{1, {}, {}, 3, {}, false}};
       }},
      {"rates", [](Forge& f) {
         f.context.servers[0].rates.refusals = {1, 5};
         f.rest(1);
       }},
      {"bounds", [](Forge& f) { f.streams_left = 1; }},
      {"liveness", [](Forge& f) {
         f.context.calm_operations = 1;
         f.flush();
         f.export_all();
         f.add(0, TraceKind::calm, 0);
       }},
      {"rollback", [](Forge& f) { f.add(1, TraceKind::rolled_back, 1, Bytes(16)); }},
      {"channel", [](Forge& f) { f.take_count(1, AuditKind::damaged, Op::put, Status::ok); }},
  };
  std::set<std::string> names;
  for (const CheckResult& each : Forge().judge()) names.emplace(each.name);
  EXPECT_EQ(names.size(), wrong.size());
  for (const auto& [name, write] : wrong) {
    EXPECT_TRUE(names.contains(name)) << name;
    EXPECT_THAT(objections_to(write), ElementsAre(name));
  }
}

TEST(Checkers, JudgeEachServerByItself) {
  Forge forge;
  write_true_history(forge);
  forge.context.servers[3] = {};
  EXPECT_THAT(forge.objections(), IsEmpty());
  forge.get(2, "a");
  EXPECT_THAT(forge.objections(), ElementsAre("completed"));
  forge.context.server_of[2] = 3;
  EXPECT_THAT(forge.objections(), Contains("exactly_once")) << "its records are at the other server";
}

}  // namespace
}  // namespace statefs::sim
