// Nobody has more than its rates allow, and nobody less because of another.
#include "tests/sim/objections.h"

namespace statefs::sim {
namespace {

const std::string allowed = root + "a";

void limit(Forge& f, const PeerRateLimits& rates) {
  f.context.servers[0].rates = rates;
  f.arrive(1);
}

PeerRateLimits refusals(std::uint64_t per_second, std::uint64_t burst) {
  PeerRateLimits rates;
  rates.refusals = {per_second, burst};
  return rates;
}
PeerRateLimits requests(std::uint64_t per_second, std::uint64_t burst) {
  PeerRateLimits rates;
  rates.requests = {per_second, burst};
  return rates;
}

void read(Forge& f, NodeId node, Status status) {
  const std::size_t asked = f.ask(node, GetRequest{{}, 0, 10, as_bytes(allowed)});
  GetResponse answer;
  if (status == Status::overloaded) answer.retry_after_ms = 10;
  f.reply(asked, status, answer);
}
void refuse(Forge& f, NodeId node) {
  read(f, node, Status::access_denied);
  f.take_count(node, AuditKind::refusals, Op::get, Status::access_denied);
}
void times(int count, const std::function<void()>& what) {
  for (int i = 0; i < count; ++i) what();
}
void rest(Forge& f, NodeId node) { f.rest(node); }

bool objects(const Write& write) {
  const auto found = objections_to(write);
  return std::find(found.begin(), found.end(), "rates") != found.end();
}

TEST(CheckRates, ObjectsToMoreRefusalsThanARateAllows) {
  EXPECT_FALSE(objects([](Forge& f) {
    limit(f, refusals(1, 5));
    times(5, [&] { refuse(f, 1); });
  }));
  EXPECT_TRUE(objects([](Forge& f) {
    limit(f, refusals(1, 5));
    times(6, [&] { refuse(f, 1); });
  }));
  EXPECT_FALSE(objects([](Forge& f) {
    limit(f, refusals(1, 5));
    times(5, [&] { refuse(f, 1); });
    f.pass(seconds(3));
    times(3, [&] { refuse(f, 1); });
  })) << "three seconds later there are three more";
  EXPECT_TRUE(objects([](Forge& f) {
    limit(f, refusals(1, 5));
    f.pass(seconds(60));
    times(5, [&] { refuse(f, 1); });
    f.pass(seconds(3));
    times(5, [&] { refuse(f, 1); });
  })) << "and not five, however long it was quiet before";
}

TEST(CheckRates, CountsRefusalsOfEachPeerAndLifeForThemselves) {
  EXPECT_FALSE(objects([](Forge& f) {
    limit(f, refusals(1, 5));
    f.arrive(2);
    times(5, [&] { refuse(f, 1); });
    times(5, [&] { refuse(f, 2); });
    f.flush();
    f.crash(f.last());
    f.arrive(1);
    times(5, [&] { refuse(f, 1); });
  }));
}

TEST(CheckRates, ObjectsToRefusedMutationsBeyondTheRate) {
  const auto puts = [](int count) {
    return [count](Forge& f) {
      limit(f, refusals(1, 5));
      times(count, [&] {
        const SlotRef at = f.next_slot(1);
        const std::size_t asked = f.ask_put(1, "/state/other", "x", at);
        f.reply_put(asked, f.take_put(1, "/state/other", "x", Status::access_denied), Status::access_denied);
      });
    };
  };
  EXPECT_FALSE(objects(puts(5)));
  EXPECT_TRUE(objects(puts(6)));
}

TEST(CheckRates, ObjectsToRequestsBeyondTheRateAndToOnePutOffBelowIt) {
  EXPECT_FALSE(objects([](Forge& f) {
    limit(f, requests(1, 5));
    times(4, [&] { read(f, 1, Status::not_found); });
    times(3, [&] { read(f, 1, Status::overloaded); });
  }));
  EXPECT_TRUE(objects([](Forge& f) {
    limit(f, requests(1, 5));
    times(6, [&] { read(f, 1, Status::not_found); });
  }));
  EXPECT_TRUE(objects([](Forge& f) {
    limit(f, requests(1, 5));
    read(f, 1, Status::not_found);
    read(f, 1, Status::overloaded);
  }));
  EXPECT_TRUE(objects([](Forge& f) {
    limit(f, requests(1, 5));
    f.arrive(2);
    times(5, [&] { read(f, 1, Status::not_found); });
    read(f, 2, Status::overloaded);
  })) << "for what another has asked";
}

TEST(CheckRates, ObjectsToSessionEventsBeyondTheRateEvictionsAmongThem) {
  const auto opened = [](int count, bool evicts) {
    return [=](Forge& f) {
      PeerRateLimits rates;
      rates.session_events = {1, 8};
      limit(f, rates);
      times(count, [&] {
        OpenRequest open;
        open.generation = 1;
        const std::size_t asked = f.ask(1, open);
        if (evicts) f.take_event(1, AuditKind::eviction, Op::open);
        const std::uint64_t number = f.take_open(1);
        f.flush();
        f.reply(asked, Status::ok, SessionResponse{number, 1, 0, std::vector<SlotState>(limits::slots_per_session)});
      });
    };
  };
  EXPECT_FALSE(objects(opened(8, false)));
  EXPECT_TRUE(objects(opened(9, false)));
  EXPECT_FALSE(objects(opened(4, true)));
  EXPECT_TRUE(objects(opened(5, true)));
}

TEST(CheckRates, ObjectsToBytesBeyondTheRate) {
  const auto reads = [](int count) {
    return [count](Forge& f) {
      PeerRateLimits rates;
      rates.bytes = {1'000, 10'000};
      limit(f, rates);
      const Bytes data(6'000, 'x');
      times(count, [&] {
        GetResponse answer;
        answer.data = data;
        f.reply(f.ask(1, GetRequest{{}, 0, 6'000, as_bytes(allowed)}), Status::ok, answer);
      });
    };
  };
  EXPECT_FALSE(objects(reads(2))) << "the second was begun when there was something left";
  EXPECT_TRUE(objects(reads(3)));
}

TEST(CheckRates, ObjectsToOneThatIsNotReadThoughItWasNotRefused) {
  EXPECT_TRUE(objects([](Forge& f) {
    limit(f, refusals(1, 5));
    rest(f, 1);
  }));
  EXPECT_TRUE(objects([](Forge& f) {
    limit(f, refusals(1, 5));
    f.arrive(2);
    times(5, [&] { refuse(f, 2); });
    rest(f, 1);
  })) << "for what another was refused";
  EXPECT_FALSE(objects([](Forge& f) {
    limit(f, refusals(1, 5));
    times(5, [&] { refuse(f, 1); });
    rest(f, 1);
  }));
  EXPECT_TRUE(objects([](Forge& f) {
    limit(f, refusals(1, 5));
    times(5, [&] { refuse(f, 1); });
    f.pass(seconds(60));
    rest(f, 1);
  })) << "what was refused long ago";
  EXPECT_FALSE(objects([](Forge& f) {
    limit(f, refusals(1, 5));
    f.ask(1, GetRequest{{}, 0, 10, as_bytes(allowed)});
    rest(f, 1);
  })) << "its answers may fill the room for them";
  EXPECT_FALSE(objects([](Forge& f) {
    limit(f, refusals(1, 5));
    rest(f, 1);
    f.rests.back().is_pressed = true;
  })) << "too much waits elsewhere";
}

TEST(CheckRates, ObjectsToALongWaitOnceTheFaultsHaveStopped) {
  const auto called = [](Duration took) {
    return [took](Forge& f) {
      f.add(0, TraceKind::calm, 0);
      f.answer_get(1, f.get(1, "a"), Status::not_found, 0, "");
      const CallId call = f.get(1, "a");
      f.pass(took);
      f.answer_get(1, call, Status::not_found, 0, "");
    };
  };
  EXPECT_FALSE(objects(called(seconds(19))));
  EXPECT_TRUE(objects(called(seconds(21))));
}

}  // namespace
}  // namespace statefs::sim
