from django.db import connection, transaction


def actor(get_response):
    """One transaction a request, in the name of the user: what is deleted in it is one deletion."""

    def middleware(request):
        with transaction.atomic():
            if request.user.is_authenticated:
                with connection.cursor() as cursor:
                    cursor.execute("SELECT set_config('softdelete.actor', %s, true)", [request.user.get_username()])
            response = get_response(request)
            if response.status_code >= 500:
                transaction.set_rollback(True)
            return response

    return middleware
