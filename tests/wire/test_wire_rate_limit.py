"""How much may be asked, in both eras."""

from wire_kit import NOW, SECOND, Client, venue

from bitmex_venue import profiles
from bitmex_venue.wire.rate_limit import Bucket, RateLimiter


def test_a_bucket_refills_evenly_and_never_overflows():
    bucket = Bucket(300, 300 * SECOND, 0)
    bucket.take(300)
    assert (bucket.remaining, bucket.affords(1), bucket.wait_ns(1)) == (0, False, SECOND)
    bucket.refill(SECOND // 2)
    assert (bucket.remaining, bucket.wait_ns(1)) == (0, SECOND // 2)
    bucket.refill(SECOND)
    assert bucket.remaining == 1 and bucket.full_at() == 300 * SECOND
    bucket.refill(10_000 * SECOND)
    assert bucket.remaining == 300


def test_a_bucket_forgives_no_clock_that_goes_back():
    bucket = Bucket(60, 60 * SECOND, 100 * SECOND)
    bucket.take(60)
    bucket.refill(50 * SECOND)
    assert bucket.remaining == 0
    bucket.refill(51 * SECOND)
    assert bucket.remaining == 1


def test_headers_are_lower_case_and_say_when_the_bucket_is_full_again():
    client = Client(venue(), step=0)
    headers = client.call("GET", "user").headers
    assert headers["x-ratelimit-limit"] == "300"
    assert headers["x-ratelimit-remaining"] == "299"
    assert headers["x-ratelimit-reset"] == str(NOW // SECOND + 1)
    assert "x-ratelimit-remaining-1s" not in headers
    assert "Date" in headers


def test_classic_gives_300_requests_in_five_minutes_then_429_with_retry_after():
    client = Client(venue(), step=0)
    for _ in range(300):
        assert client.call("GET", "position").status == 200
    reply = client.call("GET", "position")
    assert reply.status == 429
    assert reply.headers["Retry-After"] == "1" and reply.headers["x-ratelimit-remaining"] == "0"
    assert reply.json() == {"error": {"message": "Rate limit exceeded, retry in 1 seconds.", "name": "RateLimitError"}}
    client.step = SECOND
    assert client.call("GET", "position").status == 200


def test_cancels_are_counted_but_never_refused():
    client = Client(venue(), step=0)
    for _ in range(301):
        last = client.call("DELETE", "order/all")
        assert last.status == 200
    assert last.headers["x-ratelimit-remaining"] == "0"
    assert client.call("GET", "user").status == 429
    assert client.call("DELETE", "order", {"orderID": "x"}).status == 200


def test_a_bulk_of_n_orders_costs_half_of_n_rounded_up():
    client = Client(venue(), step=0)
    orders = [{"symbol": "XBTUSD", "orderQty": 1, "price": 100 + i} for i in range(5)]
    reply = client.call("POST", "order/bulk", {"orders": orders})
    assert reply.status == 200 and reply.headers["x-ratelimit-remaining"] == "297"
    cheaper = Client(venue(bulk_cost="0.1"), step=0)
    assert cheaper.call("POST", "order/bulk", {"orders": orders}).headers["x-ratelimit-remaining"] == "299"


def test_requests_without_credentials_have_a_bucket_per_address():
    client = Client(venue("modern"), step=0)
    for _ in range(30):
        assert client.call("GET", "instrument/active", signed=False).status == 200
    assert client.call("GET", "instrument/active", signed=False).status == 429
    assert client.call("GET", "instrument/active").status == 200


def test_modern_adds_ten_a_second_on_order_routes():
    client = Client(venue("modern"), step=0)
    order = {"symbol": "XBTUSD", "orderQty": 100, "price": 1000}
    replies = [client.call("POST", "order", order) for _ in range(11)]
    assert [r.status for r in replies] == [200] * 10 + [429]
    assert [r.headers["x-ratelimit-remaining-1s"] for r in replies[:3]] == ["9", "8", "7"]
    assert replies[-1].headers["x-ratelimit-remaining"] == "110"
    assert client.call("GET", "order").status == 200
    client.step = SECOND
    assert client.call("POST", "order", order).status == 200


def test_all_keys_of_an_account_share_its_bucket():
    limiter = RateLimiter(profiles.MODERN.limits)
    for _ in range(3):
        charge = limiter.charge(0, 7, "a")
    assert charge.headers["x-ratelimit-remaining"] == "117"
    assert limiter.charge(0, 8, "a").headers["x-ratelimit-remaining"] == "119"


def test_a_refused_request_costs_nothing():
    limiter = RateLimiter(profiles.CLASSIC.limits)
    limiter.charge(0, 1, "a", tokens=299)
    assert limiter.charge(0, 1, "a", tokens=5).retry_s == 4
    assert limiter.charge(0, 1, "a", tokens=1).retry_s == 0
