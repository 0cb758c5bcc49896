"""What the tests of other people's clients share. Only `make test-clients` collects them: it sets CLIENT_SECONDS."""
import pytest
import running


@pytest.fixture
def start_venue(venue_python):
    """start_venue('modern', '--latency-ms', '60') -> a venue with a lively market, in a process of its own."""
    started = []

    def start(profile, *arguments):
        started.append(running.Venue(venue_python, '--profile', profile, '--market', 'lively', '--seed', '7', *arguments))
        return started[-1]
    yield start
    for venue in started:
        complaints = [line for line in venue.lines[1:] if line]
        venue.stop()
        assert not complaints, 'the venue complained:\n' + '\n'.join(complaints)
