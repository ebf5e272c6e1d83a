#include "sim/network.h"

#include <gtest/gtest.h>

#include "tests/sim/pair.h"

namespace statefs::sim {
namespace {

TEST(Network, FreesAStreamWhenBothEndsClosed) {
  for (const int closed_while : {0, 1, 2}) {  // connecting, open, ended by the peer
    Pair pair{Faults{}};
    const StreamEnd end = *pair.client.end;
    if (closed_while > 0) pair.run();
    pair.network.stream(end).close(Side::connector);
    if (closed_while > 1) pair.run();
    if (closed_while > 0) pair.network.stream(end).close(Side::acceptor);
    pair.network.release(end);
    EXPECT_EQ(pair.network.stream_count(), 0u) << closed_while;
    while (pair.schedule.run_one()) {
    }
  }
}

// A program that is remade while a stream is on its way to it.
TEST(Network, OffersAStreamToWhoeverListensWhenItKnocks) {
  Pair pair{Faults{}};
  Party second;
  {
    auto first = std::make_unique<Party>();
    pair.network.listen(1, first.get());
    pair.network.listen(1, nullptr);
  }
  pair.network.listen(1, &second);
  pair.client.to_send = pattern(100, 1);
  pair.run();
  EXPECT_FALSE(pair.server.end);
  ASSERT_TRUE(second.end);
  second.act(pair.network);
  EXPECT_EQ(second.received, pair.client.to_send);
}

TEST(Network, RefusesAStreamWhoseListenerWentBeforeItKnocked) {
  Pair pair{Faults{}};
  pair.network.listen(1, nullptr);
  pair.run();
  EXPECT_TRUE(pair.network.stream(*pair.client.end).refused());
}

// Under the address sanitizer a call to a user that is gone is seen as such; here it is counted.
TEST(Network, NeverCallsAUserThatClosedItsEndsAndWent) {
  struct Counted : Party {
    explicit Counted(int& count) : calls(count) {}
    bool stream_offered(StreamEnd offered) override { return ++calls, Party::stream_offered(offered); }
    void stream_ready(StreamEnd ready_end) override { ++calls, Party::stream_ready(ready_end); }
    int& calls;
  };
  for (const Faults& faults : tearings()) {
    for (int events = 0; events < 40; ++events) {
      for (const bool resets : {false, true}) {
        int calls = 0;
        Pair pair(faults, static_cast<std::uint64_t>(events) + 1);
        auto server = std::make_unique<Counted>(calls);
        pair.network.listen(1, server.get());
        pair.client.to_send = pattern(400, 1);
        server->to_send = pattern(400, 2);
        for (int i = 0; i < events && pair.schedule.run_one(); ++i) pair.client.act(pair.network), server->act(pair.network);
        if (server->end) {
          Stream& stream = pair.network.stream(*server->end);
          resets ? stream.reset(Side::acceptor) : stream.close(Side::acceptor);
          pair.network.release(*server->end);
        }
        pair.network.listen(1, &pair.server);
        server.reset();
        const int before = calls;
        while (pair.schedule.run_one()) pair.client.act(pair.network);
        EXPECT_EQ(calls, before) << events;
      }
    }
  }
}

}  // namespace
}  // namespace statefs::sim
