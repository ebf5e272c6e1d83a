// Work is done once the faults have stopped, what is held stays bounded, and what a client says has a cause.
#include "tests/sim/objections.h"

namespace statefs::sim {
namespace {

TEST(CheckLiveness, WantsEachClientThatIsUpToGetItsCallsDone) {
  const auto calm = [](std::uint32_t wanted, const Write& then) {
    return [=](Forge& f) {
      f.context.calm_operations = wanted;
      f.crash_client(2);
      f.add(0, TraceKind::calm, 0);
      then(f);
      f.flush();
      f.export_all();
    };
  };
  accept("one that does", calm(1, [](Forge& f) { f.did_put(1, "a", "one"); }));
  object_somewhere("liveness", "too few", calm(2, [](Forge& f) { f.did_put(1, "a", "one"); }));
  object_somewhere("liveness", "a call that is refused", calm(1, [](Forge& f) { f.answer_sync(1, f.sync(1), Status::epoch_changed); }));
  const auto unknown_first = [](Forge& f) {
    f.complete(1, f.put(1, "a", "one"), CallResult::outcome_unknown);
    f.did_put(1, "b", "two");
  };
  object_somewhere("liveness", "a call of unknown outcome", calm(1, unknown_first));
  accept("the first after its session was evicted", [&](Forge& f) {
    f.context.servers[0].sessions_per_key = 1;
    f.take_event(1, AuditKind::eviction, Op::open);
    f.take_open(1);
    f.flush();
    calm(1, unknown_first)(f);
  });
  object_somewhere("liveness", "a call that times out", calm(1, [](Forge& f) { f.complete(1, f.get(1, "a"), CallResult::timed_out); }));
}

TEST(CheckLiveness, ObjectsToWakeUpsForNothing) {
  object_somewhere("liveness", "a timer without end", [](Forge& f) {
    SeenLoad load;
    load.idle_timers = 1;
    load.at.idle_timers = f.here();
    f.loads.push_back(load);
  });
}

TEST(CheckBounds, ObjectsToWhatIsOverOrLeftOver) {
  const auto loaded = [](std::function<void(SeenLoad&)> change) {
    return [=](Forge& f) {
      f.context.limits = {2, 1'000, 500, 300, 700};
      SeenLoad load;
      load.samples = 1;
      load.connections = 2;
      load.buffered_size = 1'000;
      load.output_size = 500;
      load.staged_size = 300;
      load.waiting_size = 700;
      load.at = {1, 1, 1, 1, 1, 1, 1, 1, 1};
      change(load);
      f.loads.push_back(load);
    };
  };
  accept("at the limits", loaded([](SeenLoad&) {}));
  object_somewhere("bounds", "connections", loaded([](SeenLoad& load) { ++load.connections; }));
  object_somewhere("bounds", "bytes held", loaded([](SeenLoad& load) { ++load.buffered_size; }));
  object_somewhere("bounds", "bytes to be sent", loaded([](SeenLoad& load) { ++load.output_size; }));
  object_somewhere("bounds", "bytes staged", loaded([](SeenLoad& load) { ++load.staged_size; }));
  object_somewhere("bounds", "bytes that wait in all", loaded([](SeenLoad& load) { ++load.waiting_size; }));
  object_somewhere("bounds", "bytes staged that are left", loaded([](SeenLoad& load) { ++load.staged_left; }));
  object_somewhere("bounds", "reads when full", loaded([](SeenLoad& load) { ++load.reads_when_full; }));
  object_somewhere("bounds", "a connection left", loaded([](SeenLoad& load) { ++load.connections_left; }));
  object_somewhere("bounds", "a commit left", loaded([](SeenLoad& load) { ++load.commits_left; }));
  object_somewhere("bounds", "a stream left", [](Forge& f) { f.streams_left = 1; });
}

TEST(CheckAudit, WantsTheWholeLogExportedInTheEnd) {
  const auto ended = [](bool exports) {
    return [=](Forge& f) {
      f.did_put(1, "a", "one");
      f.flush();
      if (exports) f.export_all();
      f.add(0, TraceKind::calm, 0);
    };
  };
  accept("the whole", ended(true));
  object("audit", "a tail that is missing", ended(false));
}

TEST(CheckCompleted, WantsACauseForWhatAClientDoesNotKnow) {
  const auto unknown = [](CallResult result, bool is_evicted) {
    return [=](Forge& f) {
      f.context.call_timeout = seconds(1);
      f.context.servers[0].sessions_per_key = 1;
      const CallId id = f.put(1, "a", "one");
      if (is_evicted) f.take_event(1, AuditKind::eviction, Op::open);
      f.complete(1, id, result);
    };
  };
  accept("a session that was evicted", unknown(CallResult::outcome_unknown, true));
  object("completed", "out of the blue", unknown(CallResult::outcome_unknown, false));
  object("completed", "before its time", unknown(CallResult::timed_out, true));
  const auto evicted = [](bool is_asked) {
    return [=](Forge& f) {
      f.context.call_timeout = seconds(1);
      f.context.servers[0].sessions_per_key = 1;
      f.arrive(1);
      const CallId id = f.put(1, "a", "one");
      f.take_event(1, AuditKind::eviction, Op::open);
      if (is_asked) f.reply(f.ask(1, OutcomeRequest{{}, 1, 0}), Status::ok, OutcomeResponse{});
      f.complete(1, id, CallResult::outcome_unknown);
    };
  };
  object("completed", "though nobody asked", evicted(false));
  EXPECT_THAT(objections_to(evicted(true)), ::testing::Not(::testing::Contains("completed"))) << "the server does not know either";
  object("exactly_once", "a doubtful loss though the session is there", [](Forge& f) {
    const CallId id = f.put(1, "a", "one");
    const std::uint64_t index = f.take_put(1, "a", "one");
    f.answer_mutation(1, id, Op::put, index);
    f.lost_write(1, id, index, false);
  });
}

TEST(CheckRecorded, WantsTheStatusThatFitsTheRequest) {
  const auto recorded = [](Status status) {
    return [=](Forge& f) {
      const CallId id = f.put(1, "a", "one");
      const std::uint64_t index = f.take_put(1, "a", "one", status);
      f.answer_mutation(1, id, Op::put, index, status);
    };
  };
  for (const Status status : {Status::value_too_large, Status::not_found, Status::overloaded, Status::stage_missing}) {
    object("recorded", std::string(name_of(status)).c_str(), recorded(status));
  }
}

TEST(CheckSessions, WantsTheLeastRecentlyUsedToGoAndOnlyWithoutRoom) {
  const auto evicted = [](std::uint64_t room, bool is_used) {
    return [=](Forge& f) {
      f.context.servers[0].sessions_per_key = room;
      if (is_used) {
        (void)f.take_open(1);
        f.flush();
        f.crash(f.last());
        f.twist = [](AuditRecord& record) { record.at.generation = 2; };
        f.take_event(1, AuditKind::session, Op::resume);
        f.twist = [](AuditRecord& record) { record.at.generation = 2; };
      }
      f.take_event(1, AuditKind::eviction, Op::open);
    };
  };
  accept("the only one, without room", evicted(1, false));
  object("sessions", "with room", evicted(2, false));
  object("sessions", "one that was used, beside one that was not", evicted(2, true));
  object("sessions", "one session too many", [](Forge& f) {
    f.context.servers[0].sessions_per_key = 1;
    f.take_open(1);
  });
}

TEST(CheckAudit, ObjectsToATimeThatGoesBack) {
  object("audit", "a time that goes back", [](Forge& f) {
    f.twist = [](AuditRecord& record) { record.monotonic_ns = 5; };
    f.did_put(1, "a", "one");
    f.did_put(1, "a", "two");
  });
}

TEST(CheckQuota, ObjectsToMoreThanTheStoreMayHold) {
  object("quota", "a key too many", [](Forge& f) {
    f.context.servers[0].keys_max = 1;
    f.did_put(1, "a", "one");
    f.did_put(1, "b", "two");
  });
  object("quota", "a byte too many", [](Forge& f) {
    f.context.servers[0].value_bytes_max = 3;
    f.did_put(1, "a", "four");
  });
}

}  // namespace
}  // namespace statefs::sim
