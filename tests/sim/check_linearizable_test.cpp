// Every answer fits a moment.
#include "tests/sim/objections.h"

namespace statefs::sim {
namespace {

TEST(CheckLinearizable, ObjectsToAnswersThatFitNoMoment) {
  const auto read = [](Status status, std::uint64_t back, const std::string& value) {
    return [=](Forge& f) {
      f.did_put(1, "a", "one");
      f.did_put(1, "a", "two");
      f.answer_get(2, f.get(2, "a"), status, back == 9 ? 0 : f.last() - back, value);
    };
  };
  accept("what is there", read(Status::ok, 0, "two"));
  object("linearizable", "stale read", read(Status::ok, 1, "one"));
  object("linearizable", "another value", read(Status::ok, 0, "one"));
  object("linearizable", "not found though there", read(Status::not_found, 9, ""));
  object("linearizable", "of the future", [](Forge& f) {
    f.answer_get(2, f.get(2, "a"), Status::ok, f.last() + 1, "one");
    f.did_put(1, "a", "one");
  });
  object("linearizable", "found though a crash took it back", lost_then([](Forge& f, CallId, std::uint64_t index) {
    f.answer_get(2, f.get(2, "a"), Status::ok, index, "one");
  }));
  accept("called before the crash", [](Forge& f) {
    const std::uint64_t kept = f.last();
    const CallId id = f.get(2, "a");
    const std::uint64_t index = f.did_put(1, "a", "one");
    f.crash(kept);
    f.answer_get(2, id, Status::ok, index, "one");
  });
  const auto page = [](std::uint16_t limit, bool both, bool has_more) {
    return [=](Forge& f) {
      const std::uint64_t a = f.did_put(1, "a", "one");
      const std::uint64_t b = f.did_put(1, "b", "two");
      std::vector<std::pair<std::string, std::uint64_t>> entries{{root + "a", a}};
      if (both) entries.push_back({root + "b", b});
      f.answer_list(2, f.list(2, root, limit), entries, has_more);
    };
  };
  accept("a full page", page(1, false, true));
  object("linearizable", "lists too little", page(0, false, false));
  object("linearizable", "cut before it is full", page(0, false, true));
  object("linearizable", "more than was asked for", page(1, true, false));
  object("linearizable", "says that there is more", page(2, true, true));
  object("linearizable", "lists what no one moment had", [](Forge& f) {
    const CallId id = f.list(2, root);
    const std::uint64_t a = f.did_put(1, "a", "one");
    f.did_del(1, "a");
    const std::uint64_t b = f.did_put(1, "b", "two");
    f.answer_list(2, id, {{root + "a", a}, {root + "b", b}});
  });
}

TEST(CheckLinearizable, ObjectsToConditionsAndRevisionsThatWereNotMet) {
  object("linearizable", "its condition did not hold", [](Forge& f) {
    const CallId id = f.put(1, "a", "one", 5);
    f.answer_mutation(1, id, Op::put, f.take_put(1, "a", "one"));
  });
  object("linearizable", "a conflict though it held", [](Forge& f) {
    const CallId id = f.put(1, "a", "one", 0);
    f.answer_mutation(1, id, Op::put, f.take_put(1, "a", "one", Status::revision_conflict), Status::revision_conflict);
  });
  object("linearizable", "a conflict with another revision", [](Forge& f) {
    const CallId id = f.put(1, "a", "one", 5);
    f.retell = [](MutationResponse& answer) { answer.revision = 7; };
    f.answer_mutation(1, id, Op::put, f.take_put(1, "a", "one", Status::revision_conflict), Status::revision_conflict);
  });
  object("linearizable", "a lost update", [](Forge& f) {
    f.did_put(1, "a", "one");
    f.twist = [](AuditRecord& r) { r.old_revision = 0; };
    f.did_put(1, "a", "two");
  });
  object("linearizable", "nothing to delete", [](Forge& f) { f.did_del(1, "a"); });
  object("linearizable", "not found though there", [](Forge& f) {
    f.did_put(1, "a", "one");
    f.answer_mutation(1, f.del(1, "a"), Op::del, f.last() + 1, Status::not_found);
    f.take_del(1, "a", Status::not_found);
  });
}

}  // namespace
}  // namespace statefs::sim
