// Whatever a server answers was asked for and has a cause.
#include "tests/sim/objections.h"

namespace statefs::sim {
namespace {

using Told = std::vector<SlotState>;

// A PUT of node 1 that is answered with this status and no record, in whatever slot.
Write refused_at(Status status, std::function<SlotRef(Forge&)> at) {
  return [=](Forge& f) {
    f.arrive(1);
    f.asked_put(1, "a", "one");
    f.reply_put(f.ask_put(1, "a", "two", at(f)), 0, status);
    const bool waits = status == Status::no_space || status == Status::audit_unavailable || status == Status::in_progress;
    if (waits) std::get<MutationResponse>(f.exchanges.back().answer.body).retry_after_ms = 200;
    if (status != Status::no_space && status != Status::audit_unavailable) f.take_count(1, AuditKind::refusals, Op::put, status);
  };
}
Write refused(Status status) {
  return refused_at(status, [](Forge& f) { return f.next_slot(1); });
}
std::function<SlotRef(Forge&)> changed(std::function<void(SlotRef&)> change) {
  return [=](Forge& f) {
    SlotRef at = f.next_slot(1);
    change(at);
    return at;
  };
}

// A session of node 1 with this instance, opened as it should be. Returns its number.
std::uint64_t open_session(Forge& f, std::uint8_t instance) {
  OpenRequest open;
  open.instance[0] = instance;
  open.generation = 1;
  const std::size_t asked = f.ask(1, open);
  const std::uint64_t number = f.take_open(1);
  f.flush();
  f.reply(asked, Status::ok, SessionResponse{number, 1, 0, Told(limits::slots_per_session)});
  return number;
}

bool accepts(const Write& write) {
  const auto said = objections_to(write);
  return std::find(said.begin(), said.end(), "answers") == said.end();
}

TEST(CheckAnswers, AcceptsAConversationThatIsTrue) {
  accept("a PUT", [](Forge& f) {
    f.arrive(1);
    f.asked_put(1, "a", "one");
  });
  EXPECT_TRUE(accepts([](Forge& f) {
    f.arrive(1);
    const SlotRef at = f.asked_put(1, "a", "one");
    f.reply_put(f.ask_put(1, "a", "one", at), f.last(), Status::ok, true);
  })) << "its replay";
  EXPECT_TRUE(accepts(refused_at(Status::session_unknown, changed([](SlotRef& at) { at.session += 1; }))));
  EXPECT_TRUE(accepts(refused_at(Status::fenced, changed([](SlotRef& at) { at.generation += 1; }))));
  EXPECT_TRUE(accepts(refused_at(Status::sequence_gap, changed([](SlotRef& at) { at.sequence += 1; }))));
  EXPECT_TRUE(accepts(refused_at(Status::sequence_old, changed([](SlotRef& at) { at.sequence -= 2; }))));
  EXPECT_TRUE(accepts(refused_at(Status::false_retry, changed([](SlotRef& at) { at.sequence -= 1; }))));
}

TEST(CheckAnswers, ObjectsToARefusalWithoutACause) {
  for (const Status status : {Status::overloaded, Status::audit_unavailable, Status::no_space, Status::session_limit, Status::in_progress,
                              Status::false_retry, Status::sequence_old, Status::sequence_gap, Status::fenced, Status::session_unknown,
                              Status::stage_missing, Status::io_error, Status::digest_mismatch, Status::value_too_large}) {
    object("answers", std::string(name_of(status)).c_str(), refused(status));
  }
}

TEST(CheckAnswers, AcceptsARefusalThatHasACause) {
  EXPECT_TRUE(accepts([](Forge& f) {
    f.context.servers[0].audit_ring_size = 2 * limits::audit_reserve_size;
    for (int i = 0; i < 300; ++i) f.did_put(2, "b", "b" + std::to_string(i));
    refused(Status::audit_unavailable)(f);
    std::erase_if(f.arrivals, [](const SeenArrival&) { return true; });
  })) << "a full log";
  EXPECT_TRUE(accepts([](Forge& f) {
    f.context.servers[0].value_bytes_max = 3;
    f.arrive(1);
    f.asked_put(1, "a", "one");
    f.retell = [](MutationResponse& answer) { answer.retry_after_ms = 200; };
    f.reply_put(f.ask_put(1, "b", "two", f.next_slot(1)), 0, Status::no_space);
  })) << "a full store";
  EXPECT_TRUE(accepts([](Forge& f) {
    f.add(0, TraceKind::fault, 0, as_bytes("store_fail"));
    refused(Status::io_error)(f);
  })) << "a store that failed";
}

TEST(CheckAnswers, ObjectsToAnAnswerThatNobodyAskedForOrThatIsOfAnother) {
  object("answers", "a stray answer", [](Forge& f) {
    f.arrive(1);
    const std::size_t asked = f.ask(1, SyncRequest{1});
    f.reply(asked, Status::ok, SyncResponse{1, f.last(), 0, {}});
    f.exchanges[asked].form = SeenExchange::Form::none;
  });
  object("answers", "a record of another key", [](Forge& f) {
    f.arrive(1);
    const std::size_t asked = f.ask_put(1, "b", "one", f.next_slot(1));
    f.reply_put(asked, f.take_put(1, "a", "one"));
  });
  object("answers", "a word on trying again where it does not help", [](Forge& f) {
    f.arrive(1);
    f.retell = [](MutationResponse& answer) { answer.retry_after_ms = 200; };
    f.asked_put(1, "a", "one");
  });
  object("answers", "another revision", [](Forge& f) {
    f.arrive(1);
    f.retell = [](MutationResponse& answer) { answer.revision += 1; };
    f.asked_put(1, "a", "one");
  });
  object("answers", "a replay that is not called one", [](Forge& f) {
    f.arrive(1);
    const SlotRef at = f.asked_put(1, "a", "one");
    f.reply_put(f.ask_put(1, "a", "one", at), f.last());
  });
  object("answers", "a record that nobody asked for", [](Forge& f) {
    f.arrive(1);
    f.did_put(1, "a", "one");
  });
  object("answers", "MALFORMED of what is well formed", [](Forge& f) {
    f.arrive(1);
    f.reply(f.ask(1, SyncRequest{1}), Status::malformed, EmptyResponse{});
  });
}

TEST(CheckAnswers, ObjectsToReadsAndSyncsOutOfTheBlue) {
  const std::string key = root + "a";
  for (const Status status : {Status::overloaded, Status::io_error, Status::no_space}) {
    object("answers", "a read", [&](Forge& f) {
      f.arrive(1);
      f.reply(f.ask(1, GetRequest{{}, 0, 10, as_bytes(key)}), status, GetResponse{});
    });
  }
  const auto synced = [](Status status, std::uint64_t named, std::uint64_t more) {
    return [=](Forge& f) {
      f.arrive(1);
      f.asked_put(1, "a", "one");
      f.reply(f.ask(1, SyncRequest{named}), status, SyncResponse{1, f.last() - 1 + more, 0, {}});
    };
  };
  object("answers", "a SYNC that did not wait", synced(Status::ok, 1, 0));
  object("answers", "a SYNC of more than is durable", synced(Status::ok, 1, 1));
  object("answers", "an epoch that did not change", synced(Status::epoch_changed, 1, 0));
  object("answers", "an epoch that did", synced(Status::ok, 2, 0));
  object("answers", "an answer before what it saw is durable", [](Forge& f) {
    f.context.servers[0].durability = Durability::commit;
    f.arrive(1);
    f.asked_put(1, "a", "one");
  });
}

TEST(CheckAnswers, HoldsSessionVerbsToTheSessions) {
  const auto opened = [](const std::function<void(Forge&, std::uint64_t)>& then) {
    return [=](Forge& f) {
      f.arrive(1);
      then(f, open_session(f, 7));
    };
  };
  EXPECT_TRUE(accepts(opened([](Forge&, std::uint64_t) {})));
  ResumeRequest resume;
  resume.instance[0] = 7;
  const auto resumed = [&](std::uint32_t generation, Status status) {
    return opened([=](Forge& f, std::uint64_t number) {
      ResumeRequest request = resume;
      request.generation = generation;
      const bool tells = status == Status::fenced;
      f.reply(f.ask(1, request), status, SessionResponse{tells ? number : 0, tells ? 1u : 0u, 0, {}});
      f.take_count(1, AuditKind::refusals, Op::resume, status);
    });
  };
  EXPECT_TRUE(accepts(resumed(1, Status::fenced)));
  for (const Status status : {Status::fenced, Status::session_unknown, Status::overloaded, Status::audit_unavailable, Status::io_error,
                              Status::session_limit}) {
    object("answers", std::string(name_of(status)).c_str(), resumed(2, status));
  }
  object("answers", "a resumption without a record", opened([&](Forge& f, std::uint64_t number) {
    ResumeRequest request = resume;
    request.generation = 2;
    f.reply(f.ask(1, request), Status::ok, SessionResponse{number, 2, 0, Told(limits::slots_per_session)});
  }));
  object("answers", "a table that was never so", [](Forge& f) {
    f.arrive(1);
    const std::size_t asked = f.ask(1, OpenRequest{{}, 1});
    const std::uint64_t number = f.take_open(1);
    f.flush();
    Told slots(limits::slots_per_session);
    slots[3] = {1, number, 0, Status::ok};
    f.reply(asked, Status::ok, SessionResponse{number, 1, 0, slots});
  });
  object("answers", "no room though there is", [](Forge& f) {
    f.arrive(1);
    f.reply(f.ask(1, OpenRequest{{}, 1}), Status::session_limit, SessionResponse{});
  });
}

TEST(CheckAnswers, ObjectsToAStageThatIsMissedThoughItsValueIsOverTheLimit) {
  const auto missing = [](std::uint64_t more) {
    return [more](Forge& f) {
      f.arrive(1);
      f.asked_put(1, "a", "one");
      static const std::string key = root + "a";
      PutRequest put;
      put.at = f.next_slot(1);
      put.key = as_bytes(key);
      put.stage = StageCommit{1, f.context.servers[0].staging.value_size_max + more, {}};
      f.reply(f.ask(1, put), Status::stage_missing, MutationResponse{});
    };
  };
  EXPECT_TRUE(accepts(missing(0)));
  object("answers", "over the limit", missing(1));
}

TEST(CheckAnswers, HoldsTheComparisonOfAHeadToTheLog) {
  const auto greets = [](HeadComparison said, std::uint64_t ahead, bool is_other) {
    return [=](Forge& f) {
      f.arrive(1);
      f.asked_put(1, "a", "one");
      f.flush();
      f.arrive(1);
      HelloRequest request;
      request.version = 1;
      request.store[0] = 7;
      request.epoch = 1;
      request.head = f.head();
      request.head.index += ahead;
      if (is_other) request.head.hash[3] ^= 1;
      HelloResponse answer = std::get<HelloResponse>(f.exchanges.back().answer.body);
      answer.store = request.store;
      answer.comparison = said;
      f.reply(f.ask(1, request), Status::ok, answer);
    };
  };
  EXPECT_TRUE(accepts(greets(HeadComparison::same, 0, false)));
  EXPECT_TRUE(accepts(greets(HeadComparison::differs, 0, true)));
  EXPECT_TRUE(accepts(greets(HeadComparison::differs, 1, false)));
  object("answers", "a loss that was none", greets(HeadComparison::differs, 0, false));
  object("answers", "another history for its own", greets(HeadComparison::same, 0, true));
  object("answers", "nothing of what is ahead", greets(HeadComparison::trimmed, 1, false));
}

TEST(CheckAnswers, ObjectsToAnInstanceThatIsOpenedOnceMore) {
  for (const bool is_other : {true, false}) {
    const Write again = [is_other](Forge& f) {
      f.arrive(1);
      const std::uint64_t number = open_session(f, 7);
      const std::size_t asked = f.ask(1, CloseRequest{number, 1});
      f.take_event(1, AuditKind::session, Op::close);
      f.flush();
      f.reply(asked, Status::ok, SessionResponse{number, 1, 0, Told(limits::slots_per_session)});
      (void)open_session(f, is_other ? 8 : 7);
    };
    if (is_other) EXPECT_TRUE(accepts(again));
    else object("answers", "again", again);
  }
}

// A request of the same connection that was recorded behind it tells by when a repeated one was looked at.
TEST(CheckAnswers, ObjectsToAReplayOutOfACommitThatIsUnderWay) {
  const auto again = [](Durability durability, bool is_flushed) {
    return [=](Forge& f) {
      f.context.servers[0].durability = durability;
      f.arrive(1);
      const CallId first = f.put(1, "a", "one");
      const SlotRef at = f.next_slot(1);
      const std::size_t asked = f.ask_put(1, "a", "one", at);
      const std::uint64_t index = f.take_put(1, "a", "one");
      if (is_flushed) f.flush();
      const std::size_t repeated = f.ask_put(1, "a", "one", at);
      const CallId second = f.put(1, "b", "two");
      const std::size_t next = f.ask_put(1, "b", "two", f.next_slot(1));
      const std::uint64_t next_index = f.take_put(1, "b", "two");
      f.flush();
      f.reply_put(asked, index);
      f.reply_put(repeated, index, Status::ok, true);
      f.reply_put(next, next_index);
      f.answer_mutation(1, first, Op::put, index);
      f.answer_mutation(1, second, Op::put, next_index);
    };
  };
  EXPECT_TRUE(accepts(again(Durability::commit, true)));
  EXPECT_TRUE(accepts(again(Durability::sync, false))) << "where it is complete once it is submitted";
  object("answers", "under way", again(Durability::commit, false));
}

TEST(CheckAnswers, HoldsOutcomesToTheLogAndToWhatWasSaidBefore) {
  const auto told = [](const OutcomeResponse& answer, std::uint64_t sequence) {
    return [=](Forge& f) {
      f.arrive(1);
      (void)open_session(f, 7);
      const CallId id = f.put(1, "a", "one");
      SlotRef at = f.next_slot(1);
      const std::size_t asked = f.ask_put(1, "a", "one", at);
      const std::uint64_t index = f.take_put(1, "a", "one");
      f.reply_put(asked, index);
      f.answer_mutation(1, id, Op::put, index);
      f.flush();
      OutcomeRequest request;
      request.instance[0] = 7;
      request.sequence = sequence;
      OutcomeResponse said = answer;
      if (said.outcome == Outcome::applied) said.index = said.revision = index;
      f.reply(f.ask(1, request), Status::ok, said);
    };
  };
  EXPECT_TRUE(accepts(told({Outcome::applied, Status::ok, 0, 0, 0}, 1)));
  EXPECT_TRUE(accepts(told({Outcome::pending, Status::ok, 0, 0, 0}, 2)));
  object("answers", "never, though it ran", told({Outcome::never_executed, Status::ok, 0, 0, 0}, 1));
  object("answers", "pending, though it ran", told({Outcome::pending, Status::ok, 0, 0, 0}, 1));
  object("answers", "beyond, though it is there", told({Outcome::beyond_horizon, Status::ok, 0, 0, 0}, 1));
  object("answers", "never, in a live session", told({Outcome::never_executed, Status::ok, 0, 0, 0}, 2));
  object("answers", "refused, though it was not", told({Outcome::refused, Status::access_denied, 0, 0, 0}, 1));
}

}  // namespace
}  // namespace statefs::sim
