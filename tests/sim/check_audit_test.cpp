// The export is the log.
#include "tests/sim/objections.h"

namespace statefs::sim {
namespace {

TEST(CheckAudit, ObjectsToAnExportThatIsNotTheLog) {
  const auto exported = [](std::function<void(Forge&, const Bytes&)> twist) {
    return [twist = std::move(twist)](Forge& f) {
      AuditRecord record;
      record.kind = AuditKind::epoch;
      record.index = record.epoch = 2;
      record.index <<= 40;
      Bytes encoded;
      encode_audit(record, encoded);
      twist(f, encoded);
    };
  };
  object("audit", "another hash before it", exported([](Forge& f, const Bytes& epoch) {
    f.export_all();
    f.add(0, TraceKind::audit, std::uint64_t{2} << 40, epoch);
  }));
  object("audit", "another index than the record's", exported([](Forge& f, const Bytes& epoch) { f.add(0, TraceKind::audit, 5, epoch); }));
  object("audit", "an index again with other bytes", exported([](Forge& f, const Bytes& epoch) {
    f.crash(f.last());
    f.export_all();
    f.add(0, TraceKind::audit, std::uint64_t{2} << 40, epoch);
  }));
  object("audit", "what was exported was lost", [](Forge& f) {
    const std::uint64_t kept = f.last();
    f.did_put(1, "a", "one");
    f.flush();
    f.export_all();
    f.crash(kept);
  });
  object("audit", "what is not durable", [](Forge& f) {
    f.did_put(1, "a", "one");
    f.flush();
    f.add(0, TraceKind::durable, 1);
    f.export_all();
  });
  object("audit", "a record is left out", [](Forge& f) {
    f.did_put(1, "a", "one");
    f.leave_out();
    f.did_put(1, "b", "two");
    f.flush();
    f.export_all();
  });
  object("audit", "a record before an epoch is left out", [](Forge& f) {
    f.did_put(1, "a", "one");
    f.leave_out();
    f.crash(f.last());
    f.export_all();
  });
  object("audit", "answered with a record that is not there", [](Forge& f) {
    f.answer_mutation(1, f.put(1, "a", "one"), Op::put, 77);
  });
  object("audit", "two calls with one record", [](Forge& f) {
    f.answer_mutation(1, f.put(1, "b", "two"), Op::put, f.did_put(1, "a", "one"));
  });
  object("audit", "a head of another chain", [](Forge& f) {
    const AuditHead head{f.head().index, Digest{}};
    f.retell = [head](MutationResponse& answer) { answer.head = head; };
    f.did_put(1, "a", "one");
  });
  const auto refused_read = [](bool counted) {
    return [counted](Forge& f) {
      f.answer_get(1, f.get(1, "/state/other/a"), Status::access_denied, 0, "");
      if (counted) f.take_count(1, AuditKind::refusals, Op::get, Status::access_denied);
      f.did_put(1, "a", "one");
      f.flush();
    };
  };
  accept("a refused read that was counted", refused_read(true));
  object("audit", "a refused read that was not", refused_read(false));
  object("audit", "a refusal of what nobody asked", [](Forge& f) { f.take_count(1, AuditKind::refusals, Op::list, Status::access_denied); });
}

}  // namespace
}  // namespace statefs::sim
